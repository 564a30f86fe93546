"""One stop: turn there, wait until the object stands still, and let every camera that is wanted take its photo."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

from drivers.protocols import Axis, Clock
from scannerd.scan.eye import Eye
from scannerd.scan.head_start import HeadStart
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.rhythm import Beat, Rhythm
from scannerd.scan.settle import Settling
from scannerd.scan.shot import Arrival, Neighbour, Shot
from scannerd.scan.shutter import Shutter

CREEP_DEG = 1.0
"""A move of this length reaches a fifth of the usual speed."""
MOST_CREEPS = 40
"""A longer way is crept in longer moves: a phase has a deadline."""
SAME_PLACE_STEPS = 0.5
"""Nearer than half a step nothing turns."""


class EnterPhase(Protocol):
    """Goes to a phase and tells everybody."""

    def __call__(self, phase: Phase, index: int | None = None, angle_deg: float | None = None) -> None:
        """`index` and `angle_deg` name the viewpoint, where the phase is about one."""


def stay() -> Viewpoint | None:
    """Nobody knows yet where to go next."""
    return None


class Station:
    """Axis, cameras and clock as one place where photos are taken.

    The camera of a stop's first photo says when the object rests; the others take theirs from that moment on, all at
    once, and the table stays until every one is in its camera's memory.

    The platter's angle is the axis's plus `offset_deg`: after a restart the axis calls 0 wherever it stands, and a
    scan that goes on knows better.
    """

    def __init__(self, axis: Axis, eyes: Sequence[Eye], clock: Clock, rhythm: Rhythm, enter: EnterPhase) -> None:
        """`eyes` by the numbers of their cameras; the first one's frames are paced by `rhythm`."""
        self._axis = axis
        self.eyes = tuple(eyes)
        self.clock = clock
        self._rhythm = rhythm
        self._enter = enter
        self._exposed_s: float | None = None
        self._head_start = HeadStart(self._turn_to)
        self._group: asyncio.TaskGroup | None = None
        self.offset_deg = 0.0

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """Let moves begin by themselves, and cameras work beside each other, as tasks of this group."""
        self._group = group
        self._head_start.run_in(group)

    async def move_to(
        self, viewpoint: Viewpoint, *, slowly: bool = False, beside: Sequence[Viewpoint] = ()
    ) -> Arrival:
        """Turn the platter to a viewpoint's angle, and shift its camera's lock as its brackets want.

        `slowly`: as a motor can that just failed. `beside`: other cameras' viewpoints there. A move that began by
        itself ends here. Raises DriverError.
        """
        for each in (viewpoint, *beside):
            if await self.eyes[each.camera].shift(each.exposure_ev, each.focus_offset_dioptres):
                self.break_rhythm()
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
        self,
        viewpoint: Viewpoint,
        arrival: Arrival,
        attempt: int = 1,
        then: Callable[[], Viewpoint | None] = stay,
        beside: Sequence[Viewpoint] = (),
    ) -> tuple[Shot, list[Neighbour]]:
        """Take the first frame that shows the object at rest; a later attempt waits longer. Raises DriverError.

        `beside`: what other cameras take at the same stop, each with its photo or its fault in return. `then` is
        asked where to go next as soon as all photos are in their cameras' memory; None: nowhere. `move_to` ends that
        move; where the photo was lost while it was copied, the table is brought back first.
        """
        if await self._head_start.end() is not None:
            arrival = await self._turn_to(viewpoint)
        self._enter(Phase.SETTLING, viewpoint.index, viewpoint.angle_deg)
        since_s = arrival.arrived_s if attempt == 1 else self.clock.now_s()
        trusted_s = self._rhythm.trusted_s if attempt == 1 and arrival.is_regular and not viewpoint.camera else None
        moved = arrival.moved or attempt > 1
        eye = self.eyes[viewpoint.camera]
        settling = eye.settle.begin(since_s, attempt, moved=moved, trusted_s=trusted_s)
        taking = Shutter(self.clock, self.eyes, viewpoint, beside, self._beside)
        shot = await taking.open(
            settling,
            since_s,
            lambda: self._enter(Phase.CAPTURING, viewpoint.index, viewpoint.angle_deg),
            lambda: self._leave_for(then()),
        )
        regular = attempt == 1 and arrival.moved and not viewpoint.camera
        await self._keep_time(arrival, settling, shot, regular=regular)
        return shot, await taking.neighbours()

    def _leave_for(self, following: Viewpoint | None) -> bool:
        return following is not None and self._head_start.begin(following)

    def _beside(self, work: Coroutine[None, None, Neighbour], name: str) -> asyncio.Task[Neighbour]:
        if self._group is None:
            work.close()
            raise RuntimeError(f"{name}: cameras work beside each other only in a group of tasks")
        return self._group.create_task(work, name=name)

    async def unshift(self) -> None:
        """Give the cameras back what was locked before the first bracket. Raises DriverError."""
        for eye in self.eyes:
            await eye.unshift()

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
            await self.eyes[0].camera.pace(self._rhythm.frame_s)
