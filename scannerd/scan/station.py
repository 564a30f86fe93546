"""One viewpoint: turn there, wait until the object stands still, take a photo."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from drivers.protocols import Axis, Camera, CameraSettings, Clock, Frame, Glimpse
from scannerd.quality.look import Remedy
from scannerd.scan.head_start import HeadStart
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.rhythm import Beat, Rhythm
from scannerd.scan.settle import Settle, Settling

CREEP_DEG = 1.0
"""A move of this length reaches a fifth of the usual speed."""
MOST_CREEPS = 40
"""A longer way is crept in longer moves: a phase has a deadline."""
SAME_PLACE_STEPS = 0.5
"""Nearer than half a step nothing turns."""


NO_SHIFT = (0.0, 0.0)
UNKNOWN_SHIFT = (math.nan, math.nan)
"""Equals no other."""
SAME_EXPOSURE = 0.05
IRREGULAR, LATE_S = 1.03, 0.01
LIGHT_FACTORS = {Remedy.DARKER: 0.6, Remedy.BRIGHTER: 1.7}
"""On the exposure time: two thirds of a stop."""


def shifted(usual: CameraSettings, exposure_ev: float, focus_dioptres: float) -> CameraSettings:
    """Return the settings of a bracket: so many stops more light by exposure time alone, focused so much nearer."""
    focus = usual.focus_dioptres
    return replace(
        usual,
        exposure_us=usual.exposure_us * 2**exposure_ev,
        focus_dioptres=None if focus is None else max(0.0, focus + focus_dioptres),
    )


class EnterPhase(Protocol):
    """Goes to a phase and tells everybody."""

    def __call__(self, phase: Phase, index: int | None = None, angle_deg: float | None = None) -> None:
        """`index` and `angle_deg` name the viewpoint, where the phase is about one."""


@dataclass(frozen=True)
class Arrival:
    """Where the platter is, and what it took. Times are the hardware's."""

    angle_deg: float
    began_s: float
    arrived_s: float
    """Of the last step."""
    floor_move_s: float
    """What the move takes at the configured limits."""
    moved: bool
    offset_deg: float = 0.0
    """What was added to the axis's angle."""

    @property
    def is_regular(self) -> bool:
        """Whether the steps came as planned; late ones, on a busy machine, leave the platter swinging differently."""
        return self.arrived_s - self.began_s < self.floor_move_s * IRREGULAR + LATE_S


@dataclass(frozen=True)
class Shot:
    """A frame, when it was taken, and what it took. Times are the hardware's."""

    frame: Frame
    taken_at: datetime
    waiting_since_s: float
    """The last step, or the moment from which a retake waited."""
    exposed_s: float
    """The exposure began."""
    free_s: float
    """The frame was in the camera's memory, and the table left; or it stayed until `done_s`."""
    done_s: float
    """The frame was copied."""
    floor_capture_s: float
    """Exposure and readout."""
    settled: bool
    """False: the wait was cut short while the object still moved."""
    believed: bool
    """Whether the object was taken to stand still without two pictures having been compared."""

    @property
    def closed_s(self) -> float:
        """The exposure ended."""
        return self.exposed_s + self.frame.exposure_us * 1e-6

    @property
    def settle_s(self) -> float:
        """From the last step to the exposure."""
        return self.exposed_s - self.waiting_since_s

    @property
    def capture_s(self) -> float:
        """From the exposure's begin until the table could leave."""
        return self.free_s - self.exposed_s


def stay() -> Viewpoint | None:
    """Nobody knows yet where to go next."""
    return None


class Station:
    """Axis, camera and clock as one place where photos are taken.

    The platter's angle is the axis's plus `offset_deg`: after a restart the axis calls 0 wherever it stands, and a
    scan that goes on knows better.
    """

    def __init__(
        self,
        axis: Axis,
        camera: Camera,
        clock: Clock,
        settle: Settle,
        rhythm: Rhythm,
        enter: EnterPhase,
        steady: Callable[[CameraSettings], CameraSettings] = lambda settings: settings,
    ) -> None:
        """`steady` says how the same light is gathered without flicker, where the exposure is changed."""
        self._axis = axis
        self._camera = camera
        self.clock = clock
        self._settle = settle
        self._rhythm = rhythm
        self._enter = enter
        self._steady = steady
        self._exposed_s: float | None = None
        self._unshifted: CameraSettings | None = None
        self._shift = NO_SHIFT
        self._head_start = HeadStart(self._turn_to)
        self.offset_deg = 0.0

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """Let moves begin by themselves, as tasks of this group, where `shoot` is told where to go next."""
        self._head_start.run_in(group)

    async def move_to(self, viewpoint: Viewpoint, *, slowly: bool = False) -> Arrival:
        """Turn the platter to a viewpoint's angle, and shift the lock as its brackets want. Raises DriverError.

        `slowly`: as a motor can that just failed. A move that began by itself ends here.
        """
        await self._shift_lock(viewpoint.exposure_ev, viewpoint.focus_offset_dioptres)
        self._enter(Phase.MOVING, viewpoint.index, viewpoint.angle_deg)
        if (begun := await self._head_start.end()) is not None:
            towards, arrival = begun
            # A photo that was judged meanwhile may have shown that the table has to go elsewhere.
            if towards == viewpoint and arrival.offset_deg == self.offset_deg:
                return arrival
        return await self._turn_to(viewpoint, slowly=slowly)

    async def rest(self) -> None:
        """Return once nothing turns any more. Raises DriverError."""
        await self._head_start.end()

    async def _turn_to(self, viewpoint: Viewpoint, *, slowly: bool = False) -> Arrival:
        began_s, from_deg = self.clock.now_s(), self._axis.angle_deg
        # A photo that is judged meanwhile may change the offset, for the next move.
        offset_deg = self.offset_deg
        target_deg = viewpoint.angle_deg - offset_deg
        if slowly:
            await self._creep(from_deg, target_deg)
        reached_deg = await self._axis.move_to(target_deg)
        return Arrival(
            angle_deg=reached_deg + offset_deg,
            offset_deg=offset_deg,
            began_s=began_s,
            arrived_s=self.clock.now_s(),
            floor_move_s=self._axis.move_time_s(from_deg, reached_deg),
            moved=abs(reached_deg - from_deg) > SAME_PLACE_STEPS * self._axis.step_deg,
        )

    async def _creep(self, from_deg: float, to_deg: float) -> None:
        """Go most of the way in moves so short that none reaches any speed: full torque, and nothing to break."""
        short_moves = min(MOST_CREEPS, math.ceil(abs(to_deg - from_deg) / CREEP_DEG))
        for number in range(1, short_moves):
            await self._axis.move_to(from_deg + (to_deg - from_deg) * number / short_moves)

    async def shoot(
        self, viewpoint: Viewpoint, arrival: Arrival, attempt: int = 1, then: Callable[[], Viewpoint | None] = stay
    ) -> Shot:
        """Take the first frame that shows the object at rest; a later attempt waits longer. Raises DriverError.

        `then` is asked where to go next as soon as the photo is in the camera's memory; None: nowhere. `move_to` ends
        that move; where the photo was lost while it was copied, the table is brought back first.
        """
        if await self._head_start.end() is not None:
            arrival = await self._turn_to(viewpoint)
        self._enter(Phase.SETTLING, viewpoint.index, viewpoint.angle_deg)
        since_s = arrival.arrived_s if attempt == 1 else self.clock.now_s()
        trusted_s = self._rhythm.trusted_s if attempt == 1 and arrival.is_regular else None
        moved = arrival.moved or attempt > 1
        settling = self._settle.begin(since_s, attempt, moved=moved, trusted_s=trusted_s)
        frame, free_s = await self._capture(settling, viewpoint, then)
        done_s = self.clock.now_s()
        shot = Shot(
            frame=frame,
            taken_at=datetime.now(UTC),
            waiting_since_s=since_s,
            exposed_s=self.clock.from_monotonic_s(frame.exposed_at_s),
            free_s=done_s if free_s is None else free_s,
            done_s=done_s,
            floor_capture_s=frame.exposure_us * 1e-6 + self._camera.description.readout_s,
            settled=not settling.gave_up,
            believed=settling.believed,
        )
        await self._keep_time(arrival, settling, shot, regular=attempt == 1 and arrival.moved)
        return shot

    async def _capture(
        self, settling: Settling, viewpoint: Viewpoint, then: Callable[[], Viewpoint | None]
    ) -> tuple[Frame, float | None]:
        """Return the frame, and when the table left; None: it is still there."""
        loop, waiting = asyncio.get_running_loop(), True
        left_s: float | None = None

        def kept() -> None:
            nonlocal left_s
            if waiting:
                self._enter(Phase.CAPTURING, viewpoint.index, viewpoint.angle_deg)
                following = then()
                if following is not None and self._head_start.begin(following):
                    left_s = self.clock.now_s()

        def keep(glimpse: Glimpse) -> bool:
            """In the camera's thread, which tells of the frame before it hands it over: the phases stay in order."""
            return settling.keep(glimpse) and bool(loop.call_soon_threadsafe(kept))

        try:
            return await self._camera.capture(keep), left_s
        finally:
            waiting = False

    async def unshift(self) -> None:
        """Give the camera back what was locked before the first bracket. Raises DriverError."""
        await self._shift_lock(*NO_SHIFT)

    def exposes_as(self, shot: Shot) -> bool:
        """Whether a photo would be exposed now as that one was."""
        now, then = self._camera.settings, shot.frame
        return math.isclose(
            now.exposure_us * now.analogue_gain, then.exposure_us * then.analogue_gain, rel_tol=SAME_EXPOSURE
        )

    async def remedy(self, remedy: Remedy) -> CameraSettings | None:
        """Do what may help before the same photo is taken again; nothing turns. Raises DriverError.

        Returns what the whole scan's lock is from now on, None where it stays.
        """
        if remedy is Remedy.REFOCUS and self._camera.settings.focus_dioptres is not None:
            # The lens is sent once more to where it was locked: a motor that slipped or sagged comes back.
            await self._camera.lock(self._camera.settings)
        factor = LIGHT_FACTORS.get(remedy)
        if factor is None:
            return None
        await self.unshift()
        usual = self._camera.settings
        wanted = self._steady(replace(usual, exposure_us=usual.exposure_us * factor))
        return await self._lock(usual, wanted, NO_SHIFT)

    async def _shift_lock(self, exposure_ev: float, focus_dioptres: float) -> None:
        """Lock other settings than the scan's, or its own again; nothing where they hold already."""
        shift = (exposure_ev, focus_dioptres)
        if shift == self._shift:
            return
        usual = self._unshifted or self._camera.settings
        wanted = shifted(usual, *shift)
        await self._lock(usual, self._steady(wanted) if exposure_ev else wanted, shift)
        self.break_rhythm()

    async def _lock(
        self, usual: CameraSettings, settings: CameraSettings, shift: tuple[float, float]
    ) -> CameraSettings:
        """Return what took effect. Until a frame shows it, nobody knows what is locked, but what is to come back."""
        self._unshifted, self._shift = usual, UNKNOWN_SHIFT
        shown = await self._camera.lock(settings)
        self._shift = shift
        if shift == NO_SHIFT:
            self._unshifted = None
        return shown

    def distrust(self) -> None:
        """A photo that was believed to show an object at rest is blurred: prove every one again."""
        self._rhythm.distrust()

    def break_rhythm(self) -> None:
        """What happens next is no viewpoint like the one before: a pause, a retake, another ring."""
        self._exposed_s = None

    async def _keep_time(self, arrival: Arrival, settling: Settling, shot: Shot, *, regular: bool) -> None:
        before_s, self._exposed_s = self._exposed_s, shot.exposed_s
        if not regular or before_s is None or not settling.limits.adaptive:
            return
        if self._rhythm.take(Beat(before_s, arrival.arrived_s, tuple(settling.seen))):
            await self._camera.pace(self._rhythm.frame_s)
