"""USB cameras whose streams do not fit one bus together: they stream one after the other, each for its own captures.

While there is room nobody waits for anybody. Once the kernel refused a stream for want of room, one camera of that
bus works at a time, in the order in which they were asked, and the streams of the others there are stopped meanwhile.
Cameras on other buses know nothing of it; one that was never opened, so that nobody knows its bus, may be on any.
Whoever works ends by itself, waits for nobody else then, and gives its place up whatever happens: the line always
moves on.
"""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar
from weakref import WeakSet

from drivers.camera_stream_faults import LOOK_UP_S
from drivers.protocols import CameraUnusable, DriverError

T = TypeVar("T")


class NoRoom(CameraUnusable):
    """The bus carries so much already that this stream does not fit beside it."""

    def __init__(self, message: str, bus: str = "") -> None:
        """Without a bus it is only told, as every fault with the camera's name before it."""
        super().__init__(message)
        self.bus = bus


class Streaming(Protocol):
    """A camera whose stream can make room for another's."""

    @property
    def bus(self) -> str | None:
        """On which it hangs; None before that was seen."""

    def stop_stream(self) -> None:
        """Stop it, from any thread, until its own next turn; nothing where it does not stream."""


class Turns:
    """Of all USB cameras of one process. May be used from any thread."""

    def __init__(self) -> None:
        """Nobody knows yet whether there is room for all."""
        self._moved = threading.Condition()
        self._asked = 0
        self._waiting: dict[int, Streaming] = {}
        self._working: dict[int, Streaming] = {}
        self._cameras: WeakSet[Streaming] = WeakSet()
        self._full: set[str] = set()

    def are_taken_by(self, camera: Streaming) -> bool:
        """Whether there was no room for all at once on its bus, since the first camera there was opened."""
        return bool(self._full) if camera.bus is None else camera.bus in self._full

    def ask(self, camera: Streaming) -> int:
        """Return a place in the line; `work` there, or `withdraw`."""
        with self._moved:
            self._asked += 1
            self._waiting[self._asked] = camera
            return self._asked

    def withdraw(self, place: int) -> None:
        """Nobody wants that work any more, unless it has begun."""
        with self._moved:
            self._waiting.pop(place, None)
            self._moved.notify_all()

    def work(self, place: int, camera: Streaming, job: Callable[[], T], abandon: threading.Event) -> T:
        """Do a camera's job in its turn, anew if its stream found no room before the others were stopped.

        Raises what the job does, DriverError when nobody waits any more.
        """
        try:
            return self._done(place, camera, job, abandon)
        except NoRoom as full:
            with self._moved:
                self._full.add(full.bus)
                self._waiting[place] = camera
            return self._done(place, camera, job, abandon)

    def leave(self, camera: Streaming) -> None:
        """That camera is closed; when all of its bus are, the next ones find out anew whether there is room."""
        with self._moved:
            self._cameras.discard(camera)
            self._full &= {each.bus for each in self._cameras if each.bus is not None}
            self._moved.notify_all()

    def _done(self, place: int, camera: Streaming, job: Callable[[], T], abandon: threading.Event) -> T:
        others = self._begin(place, camera, abandon)
        try:
            for other in others:
                other.stop_stream()
            return job()
        finally:
            with self._moved:
                self._working.pop(place, None)
                self._moved.notify_all()

    def _begin(self, place: int, camera: Streaming, abandon: threading.Event) -> list[Streaming]:
        """Return whose streams have to make room: none while there is room for all on its bus."""
        with self._moved:
            self._cameras.add(camera)
            while not self._may_begin(place):
                if abandon.is_set() or place not in self._waiting:
                    self._waiting.pop(place, None)
                    raise DriverError("camera: nobody waits for its turn any more")
                self._moved.wait(LOOK_UP_S)
            self._waiting.pop(place)
            self._working[place] = camera
            if not self.are_taken_by(camera):
                return []
            neighbours = [other for other in self._cameras if other is not camera and _may_share(camera, other)]
            return [other for other in neighbours if self.are_taken_by(other)]

    def _may_begin(self, place: int) -> bool:
        camera = self._waiting.get(place)
        if camera is None:
            return False
        if not self.are_taken_by(camera):
            return True
        if any(_may_share(camera, other) for other in self._working.values()):
            return False
        return place == min(each for each, other in self._waiting.items() if _may_share(camera, other))


def _may_share(one: Streaming, other: Streaming) -> bool:
    """Whether they hang on one bus, as far as anybody knows."""
    return one.bus is None or other.bus is None or one.bus == other.bus


TURNS = Turns()
