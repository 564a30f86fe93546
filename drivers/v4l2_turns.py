"""USB cameras whose streams do not fit one bus together: they stream one after the other, each for its own captures.

While there is room nobody waits for anybody. Once the kernel refused a stream for want of room, one camera of this
process works at a time, in the order in which they were asked, and the others' streams are stopped meanwhile. Whoever
works ends by itself, waits for nobody else then, and gives its place up whatever happens: the line always moves on.
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


class Streaming(Protocol):
    """A camera whose stream can make room for another's."""

    def stop_stream(self) -> None:
        """Stop it, from any thread, until its own next turn; nothing where it does not stream."""


class Turns:
    """Of all USB cameras of one process. May be used from any thread."""

    def __init__(self) -> None:
        """Nobody knows yet whether there is room for all."""
        self._moved = threading.Condition()
        self._asked = 0
        self._waiting: set[int] = set()
        self._working: set[int] = set()
        self._cameras: WeakSet[Streaming] = WeakSet()
        self._taken = False

    @property
    def are_taken(self) -> bool:
        """Whether there was no room for all at once, since the first of them was opened."""
        return self._taken

    def ask(self) -> int:
        """Return a place in the line; `work` there, or `withdraw`."""
        with self._moved:
            self._asked += 1
            self._waiting.add(self._asked)
            return self._asked

    def withdraw(self, place: int) -> None:
        """Nobody wants that work any more, unless it has begun."""
        with self._moved:
            self._waiting.discard(place)
            self._moved.notify_all()

    def work(self, place: int, camera: Streaming, job: Callable[[], T], abandon: threading.Event) -> T:
        """Do a camera's job in its turn, anew if its stream found no room before the others were stopped.

        Raises what the job does, DriverError when nobody waits any more.
        """
        try:
            return self._done(place, camera, job, abandon)
        except NoRoom:
            with self._moved:
                self._taken = True
                self._waiting.add(place)
            return self._done(place, camera, job, abandon)

    def leave(self, camera: Streaming) -> None:
        """That camera is closed; when all are, the next ones find out anew whether there is room."""
        with self._moved:
            self._cameras.discard(camera)
            self._taken = self._taken and len(self._cameras) > 0

    def _done(self, place: int, camera: Streaming, job: Callable[[], T], abandon: threading.Event) -> T:
        others = self._begin(place, camera, abandon)
        try:
            for other in others:
                other.stop_stream()
            return job()
        finally:
            with self._moved:
                self._working.discard(place)
                self._moved.notify_all()

    def _begin(self, place: int, camera: Streaming, abandon: threading.Event) -> list[Streaming]:
        """Return whose streams have to make room: none while there is room for all."""
        with self._moved:
            self._cameras.add(camera)
            while not self._may_begin(place):
                if abandon.is_set() or place not in self._waiting:
                    self._waiting.discard(place)
                    raise DriverError("camera: nobody waits for its turn any more")
                self._moved.wait(LOOK_UP_S)
            self._waiting.discard(place)
            self._working.add(place)
            return [other for other in self._cameras if other is not camera] if self._taken else []

    def _may_begin(self, place: int) -> bool:
        if place not in self._waiting:
            return False
        return not self._taken or (not self._working and place == min(self._waiting))


TURNS = Turns()
