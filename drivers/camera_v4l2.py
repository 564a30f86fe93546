"""Any USB camera, through the kernel's video devices."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from drivers.clock import SystemClock
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import CameraDescription, CameraSettings, Clock
from drivers.streaming_camera import StreamingCamera
from drivers.v4l2_meter import meter
from drivers.v4l2_session import V4l2Session, stream_start_s
from drivers.v4l2_turns import TURNS, NoRoom

CABLE = "plug the USB camera in, into another socket if need be"
T = TypeVar("T")


class V4l2Camera(StreamingCamera[V4l2Session]):
    """`Camera` over one video device. Where the bus has no room for all, it streams in its turn only."""

    def __init__(self, options: V4l2Options, clock: Clock | None = None) -> None:
        """Remember what is wanted; nothing is opened yet. `clock` is the hardware's, else the system's."""
        self._options, self._system_clock = options, clock or SystemClock()
        self.bus: str | None = None
        """The USB bus that it was last seen on."""
        super().__init__(
            begin=lambda wanted, frame_s, _: self._begun(wanted, frame_s),
            meter=meter,
            wanted=CameraSettings(
                options.exposure_us, options.analogue_gain, options.colour_gains, options.focus_dioptres
            ),
            cable=CABLE,
        )

    @property
    def description(self) -> CameraDescription:
        """What this camera is, and what its turn costs; known once it was open."""
        known = super().description
        if not TURNS.are_taken_by(self):
            return known
        return replace(known, turn_s=stream_start_s(known.readout_s, self.settings.exposure_us))

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice."""
        try:
            await super().close()
        finally:
            TURNS.leave(self)

    def stop_stream(self) -> None:
        """Make room for another camera, in whose thread this is called; none of this one's jobs is under way."""
        session = self._session
        if session is not None:
            session.stop_stream()

    async def _in_thread(self, call: Callable[[threading.Event], T]) -> T:
        """Places are taken here, in the order of asking, which threads would not keep."""
        place = TURNS.ask(self)
        try:
            return await super()._in_thread(lambda abandon: TURNS.work(place, self, lambda: call(abandon), abandon))
        finally:
            TURNS.withdraw(place)

    def _begun(self, wanted: CameraSettings, frame_s: float | None) -> V4l2Session:
        """Raises CameraUnusable, CameraTimeout."""
        try:
            session = V4l2Session(self._options, wanted, frame_s, self._system_clock)
        except NoRoom as full:
            self.bus = full.bus
            raise
        self.bus = session.bus
        return session

    def _done(self, job: Callable[[V4l2Session], T], abandon: threading.Event) -> T:
        def streaming(session: V4l2Session) -> T:
            session.go_on()
            return job(session)

        return super()._done(streaming, abandon)
