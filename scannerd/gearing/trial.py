"""The moves of the calibration: first small ones, since nobody knows yet how far they really go."""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.options import StepperGpioOptions
from drivers.protocols import Axis, Clock, NeedsPerson
from scannerd.gearing.fits import Rest, Scale, Swing, nearest_turn, scale_of, swing_of
from scannerd.gearing.sight import MatSight, exact_angles, rough_turn_deg
from scannerd.geometry.mat_pose import MatCorners

FIRST_DEG = 0.2
"""Commanded. Also on a table that turns five hundred times as far as its settings say it is less than half a turn."""
NOTICED_DEG = 0.4
"""True. Less may be play, or the mat's noise."""
SURE_DEG = 8.0
"""True. Two such moves that agree tell the gear roughly."""
AGREE = 0.15
GROWS = 3.0
STILL_DEG, UNEVEN_DEG = 240.0, 3000.0
"""Commanded. With nothing seen to move by the first, or no even motion by the second, somebody must look."""
GENTLE_DEG_S, GENTLE_DEG_S2 = 15.0, 60.0
TAKE_UP_DEG = 15.0
"""More than any play that the settings know."""
PLACES, APART_DEG = 14, 30.0
"""More than one turn."""
BACK_DEG = 20.0
PLAY_PLACES = 3
SWINGS, SWING_MOVE_DEG = 3, 12.0
FASTEST_DEG_S = 40.0
MOST_STEPS_S = 20_000.0
SETTLE_S = 0.8

T = TypeVar("T")
BuildAxis = Callable[[Any], Axis]
Say = Callable[[str], None]


class PlatterStill(NeedsPerson):
    """Pulses go out and the mat stays where it is."""


@dataclass(frozen=True)
class Trial:
    """What the table did."""

    scale: Scale
    play_deg: float
    play_deviation_deg: float
    swing: Swing | None
    axis_foot_mm: tuple[float, float]
    """Where the axis meets the mat, in the mat's frame."""
    camera_elevation_deg: float
    camera_distance_mm: float
    photos: int


class TableTrial:
    """One table on trial. Each part builds the motor's driver anew, with limits that suit what is known by then."""

    def __init__(self, options: Any, build: BuildAxis, sight: MatSight, clock: Clock, say: Say) -> None:
        """`options` are the axis's as configured; `build` makes an axis of others."""
        self._options = options
        self._build = build
        self._sight = sight
        self._clock = clock
        self._say = say
        self._corners: list[MatCorners] = []
        self._roughly_deg: list[float] = []

    async def run(self) -> Trial:
        """Return what was measured. Raises PlatterStill, MatUnseen, DriverError; the motor is off afterwards."""
        rough = await self._with(self._limits(1.0, gentle=True), self._rough)
        self._say(f"roughly {rough:.3f}° for each commanded degree; now a whole turn")
        return await self._with(self._limits(rough, gentle=False), lambda axis: self._exact(axis, rough))

    async def _with(self, options: Any, work: Callable[[Axis], Awaitable[T]]) -> T:
        axis = self._build(options)
        try:
            await axis.believe(0.0)
            return await work(axis)
        finally:
            await axis.release()
            await axis.close()

    def _limits(self, true_per_commanded: float, *, gentle: bool) -> Any:
        """Return options by which the platter truly keeps to its limits, with no play taken up and no smoothing."""
        wanted = self._options
        scale = abs(true_per_commanded)
        speed = min(wanted.max_speed_deg_s, GENTLE_DEG_S if gentle else FASTEST_DEG_S) / scale
        acceleration = min(wanted.acceleration_deg_s2, GENTLE_DEG_S2 if gentle else 1e9) / scale
        if isinstance(wanted, StepperGpioOptions):
            speed = min(speed, MOST_STEPS_S * wanted.step_deg)
        changes = {
            "max_speed_deg_s": speed,
            "acceleration_deg_s2": acceleration,
            "backlash_deg": 0.0,
            "smoothing_s": 0.0,
        }
        known = {field.name for field in dataclasses.fields(wanted)}
        return dataclasses.replace(wanted, **{name: value for name, value in changes.items() if name in known})

    async def _rough(self, axis: Axis) -> float:
        """Return true degrees for each commanded one, to some percent: with growing moves, all the same way."""
        before = await self._sight.look(SETTLE_S)
        step_deg, ratios = FIRST_DEG, [0.0]
        while axis.angle_deg < (UNEVEN_DEG if ratios[-1] else STILL_DEG):
            from_deg = axis.angle_deg
            to_deg = await axis.move_to(from_deg + step_deg)
            after = await self._sight.look(SETTLE_S)
            expected_deg = ratios[-1] * (to_deg - from_deg)
            moved_deg = nearest_turn(rough_turn_deg(before, after), expected_deg)
            before = after
            ratio = moved_deg / (to_deg - from_deg)
            if abs(moved_deg) >= SURE_DEG and abs(ratio - ratios[-1]) <= AGREE * abs(ratio):
                return ratio
            step_deg = _next_step_deg(step_deg, moved_deg, ratio)
            ratios.append(ratio if abs(moved_deg) > NOTICED_DEG else 0.0)
        raise PlatterStill(
            f"turntable: {axis.angle_deg:.0f}° commanded, and the mat did not turn evenly; is the motor's supply on, "
            "is ENABLE wired, does the mat lie on the platter, does the belt hold?"
        )

    async def _exact(self, axis: Axis, rough: float) -> Trial:
        way = _Way(axis, rough)
        await way.to(TAKE_UP_DEG)
        commanded = [await self._photo(way, TAKE_UP_DEG + APART_DEG * place) for place in range(PLACES)]
        self._say("the same places from both sides")
        pairs = [await self._from_both_sides(way, way.true_deg - 2 * BACK_DEG) for _ in range(PLAY_PLACES)]
        self._say("how the platter swings")
        swing = swing_of([await self._stop(way) for _ in range(SWINGS)])
        poses = self._sight.poses(self._corners, self._roughly_deg)
        angles = exact_angles(poses)
        heard = [(commanded[index], angles[index]) for index in range(PLACES) if index in angles]
        play = [angles[above] - angles[below] for above, below in pairs if above in angles and below in angles] or [
            0.0
        ]
        turn = poses.turns[0]
        return Trial(
            scale=scale_of(*zip(*heard, strict=True)),
            play_deg=sum(play) / len(play),
            play_deviation_deg=max(play) - min(play),
            swing=swing,
            axis_foot_mm=turn.axis_foot_mm,
            camera_elevation_deg=turn.camera_elevation_deg,
            camera_distance_mm=turn.camera_distance_mm,
            photos=len(self._corners),
        )

    async def _photo(self, way: "_Way", true_deg: float) -> float:
        """Go there, remember the mat and roughly the angle, and return the commanded angle."""
        commanded_deg = await way.to(true_deg)
        seen = await self._sight.look(SETTLE_S)
        if self._corners:
            turned_deg = rough_turn_deg(self._corners[0], seen)
            self._roughly_deg.append(nearest_turn(turned_deg, true_deg - TAKE_UP_DEG))
        else:
            self._roughly_deg.append(0.0)
        self._corners.append(seen)
        return commanded_deg

    async def _from_both_sides(self, way: "_Way", place_deg: float) -> tuple[int, int]:
        """Return the photos of one place reached from above, and from below."""
        await self._photo(way, place_deg)
        above = len(self._corners) - 1
        await way.to(place_deg - BACK_DEG)
        await self._photo(way, place_deg)
        return above, len(self._corners) - 1

    async def _stop(self, way: "_Way") -> Rest:
        await way.to(way.true_deg + SWING_MOVE_DEG)
        return await self._sight.watch(self._clock.now_s())


def _next_step_deg(step_deg: float, moved_deg: float, ratio: float) -> float:
    """Grow until a move is large enough to be sure of, and then no more."""
    if abs(moved_deg) < NOTICED_DEG:
        return step_deg * 2
    return min(step_deg * GROWS, 1.25 * SURE_DEG / abs(ratio))


class _Way:
    """The axis, told where to go in true degrees, as well as they are known."""

    def __init__(self, axis: Axis, true_per_commanded: float) -> None:
        self._axis = axis
        self._scale = true_per_commanded

    @property
    def true_deg(self) -> float:
        """Where it stands by command."""
        return self._axis.angle_deg * self._scale

    async def to(self, true_deg: float) -> float:
        """Go there and return the commanded angle."""
        return await self._axis.move_to(true_deg / self._scale)
