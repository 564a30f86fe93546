"""One viewpoint: turn there, let the platter come to rest, take a photo."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from drivers.protocols import Axis, Camera, Clock, Frame
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint


class EnterPhase(Protocol):
    """Goes to a phase and tells everybody."""

    def __call__(self, phase: Phase, index: int | None = None, angle_deg: float | None = None) -> None:
        """`index` and `angle_deg` name the viewpoint, where the phase is about one."""


@dataclass(frozen=True)
class Arrival:
    """Where the platter is, and what it took."""

    angle_deg: float
    move_s: float
    floor_move_s: float
    """What the move takes at the configured limits."""


@dataclass(frozen=True)
class Shot:
    """A frame, when it was taken, and what it took."""

    frame: Frame
    taken_at: datetime
    settle_s: float
    capture_s: float
    floor_capture_s: float
    """Exposure and readout."""


class Station:
    """Axis, camera and clock as one place where photos are taken.

    The platter's angle is the axis's plus `offset_deg`: after a restart the axis calls 0 wherever it stands, and a
    scan that goes on knows better.
    """

    def __init__(self, axis: Axis, camera: Camera, clock: Clock, settle_s: float, enter: EnterPhase) -> None:
        self._axis = axis
        self._camera = camera
        self.clock = clock
        self._settle_s = settle_s
        self._enter = enter
        self.offset_deg = 0.0

    async def move_to(self, viewpoint: Viewpoint) -> Arrival:
        """Turn the platter to a viewpoint's angle. Raises DriverError."""
        self._enter(Phase.MOVING, viewpoint.index, viewpoint.angle_deg)
        began_s, from_deg = self.clock.now_s(), self._axis.angle_deg
        reached_deg = await self._axis.move_to(viewpoint.angle_deg - self.offset_deg)
        return Arrival(
            angle_deg=reached_deg + self.offset_deg,
            move_s=self.clock.now_s() - began_s,
            floor_move_s=self._axis.move_time_s(from_deg, reached_deg),
        )

    async def shoot(self, viewpoint: Viewpoint, attempt: int = 1) -> Shot:
        """Wait until the platter stands, longer with each attempt, and take a photo. Raises DriverError."""
        self._enter(Phase.SETTLING, viewpoint.index, viewpoint.angle_deg)
        began_s = self.clock.now_s()
        await self.clock.wait_until(began_s + self._settle_s * attempt)
        self._enter(Phase.CAPTURING, viewpoint.index, viewpoint.angle_deg)
        settled_s = self.clock.now_s()
        frame = await self._camera.capture()
        return Shot(
            frame=frame,
            taken_at=datetime.now(UTC),
            settle_s=settled_s - began_s,
            capture_s=self.clock.now_s() - settled_s,
            floor_capture_s=frame.exposure_us * 1e-6 + self._camera.description.readout_s,
        )
