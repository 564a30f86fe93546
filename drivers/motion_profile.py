"""A move from rest to rest at bounded speed and acceleration, as the times between steps. Pure.

The continuous motion q(t) is a trapezoid of speed over time (a triangle when the way is too short to reach full
speed). Smoothed over a time w it is an S-curve: the position is the mean of q over the last w,

    p(t) = (Q(t) − Q(t − w)) / w    with Q the integral of q

so that speed and acceleration keep their bounds, the acceleration changes by no more than a/w at a time, and a move
takes exactly w longer. A mean over w has nothing left at the frequency 1/w: a platter that swings with this period is
not set swinging (Singer and Seering, Preshaping command inputs, 1990, have the family of such shapers).

Step k is due when p reaches k, solved for each step on its own, so nothing accumulates over long moves.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
Intervals = NDArray[np.float64]

GRID = 400
"""Moments between which a first guess is interpolated."""
NEWTON_STEPS = 4
"""Each doubles the digits; from the grid's guess three reach float64's end."""


@dataclass(frozen=True)
class MotionLimits:
    """What motor, belt and platter are trusted with."""

    speed_deg_s: float
    acceleration_deg_s2: float
    smoothing_s: float = 0.0
    """0: a trapezoid. More: an S-curve, best as long as one swing of the platter."""

    def __post_init__(self) -> None:
        for name, value in (("speed_deg_s", self.speed_deg_s), ("acceleration_deg_s2", self.acceleration_deg_s2)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value}: must be above 0")
        if not (math.isfinite(self.smoothing_s) and self.smoothing_s >= 0):
            raise ValueError(f"smoothing_s = {self.smoothing_s}: must be 0 or more")


@dataclass(frozen=True)
class MotionProfile:
    """One move."""

    intervals_s: Intervals
    """(steps,), float64, read-only: the wait before each step. The same read backwards, as the move is symmetric."""
    ramp_steps: int
    """How many steps full speed takes to reach, or half the way if that is shorter."""

    @property
    def duration_s(self) -> float:
        """From the order to the last step."""
        return float(self.intervals_s.sum())

    def stopping_intervals_s(self, issued: int) -> Intervals:
        """Return the waits that bring the move to rest once `issued` of its steps are out.

        The deceleration mirrors the acceleration, so it is always a tail of the move itself and never overshoots.
        """
        left = len(self.intervals_s) - issued
        needed = min(issued, left, self.ramp_steps)
        return self.intervals_s[len(self.intervals_s) - needed :]


@lru_cache(maxsize=16)
def plan_move(steps: int, step_deg: float, limits: MotionLimits) -> MotionProfile:
    """Return the profile of a move over `steps` ≥ 0 steps of `step_deg` each. A scan's moves are nearly all equal."""
    if steps < 0:
        raise ValueError(f"steps = {steps}: a profile has no direction, must be 0 or more")
    motion = _Motion(steps, limits.speed_deg_s / step_deg, limits.acceleration_deg_s2 / step_deg, limits.smoothing_s)
    half = steps // 2
    due_s = np.empty(steps + 1)
    due_s[0] = 0.0
    due_s[1 : half + 1] = motion.times_s(np.arange(1, half + 1, dtype=np.float64))
    due_s[steps - half :] = motion.duration_s - due_s[half::-1]
    intervals_s = np.diff(due_s)
    intervals_s.setflags(write=False)
    return MotionProfile(intervals_s, math.ceil(motion.ramp_steps))


def move_time_s(distance_deg: float, limits: MotionLimits) -> float:
    """Return how long the profile takes over a distance of either sign."""
    distance = abs(distance_deg)
    if distance == 0:
        return 0.0
    ramp_deg = limits.speed_deg_s**2 / (2 * limits.acceleration_deg_s2)
    if distance <= 2 * ramp_deg:
        return 2 * math.sqrt(distance / limits.acceleration_deg_s2) + limits.smoothing_s
    cruise_s = (distance - 2 * ramp_deg) / limits.speed_deg_s
    return 2 * limits.speed_deg_s / limits.acceleration_deg_s2 + cruise_s + limits.smoothing_s


def move_time_with_play_s(from_deg: float, to_deg: float, play_deg: float, limits: MotionLimits) -> float:
    """The same for an axis that reaches each place forward: a move back goes past it by the play, and returns."""
    if not play_deg or to_deg >= from_deg:
        return move_time_s(to_deg - from_deg, limits)
    return move_time_s(from_deg - to_deg + play_deg, limits) + move_time_s(play_deg, limits)


class _Motion:
    """The continuous motion, in steps and seconds."""

    def __init__(self, distance: float, speed: float, acceleration: float, smoothing_s: float) -> None:
        self._distance = distance
        self._acceleration = acceleration
        self._smoothing_s = smoothing_s
        self._ramp_s = min(speed / acceleration, math.sqrt(distance / acceleration))
        self._speed = acceleration * self._ramp_s
        cruise = distance - acceleration * self._ramp_s**2
        self._unsmoothed_s = 2 * self._ramp_s + (cruise / self._speed if distance else 0.0)
        self.duration_s = self._unsmoothed_s + (smoothing_s if distance else 0.0)

    @property
    def ramp_steps(self) -> float:
        """How far it has gone when it is fastest for the first time."""
        if self._ramp_s + self._smoothing_s >= self.duration_s / 2:
            return self._distance / 2
        return self._speed * (self._ramp_s + self._smoothing_s) / 2

    def times_s(self, positions: Times) -> Times:
        """Return when each position is reached; positions in the first half of the way, above 0."""
        if self._smoothing_s == 0:
            return self._trapezoid_times_s(positions)
        return self._smoothed_times_s(positions)

    def _trapezoid_times_s(self, positions: Times) -> Times:
        ramp = self._acceleration * self._ramp_s**2 / 2
        cruising_s = self._ramp_s + (positions - ramp) / self._speed
        return np.where(positions <= ramp, np.sqrt(2 * positions / self._acceleration), cruising_s)

    def _smoothed_times_s(self, positions: Times) -> Times:
        """Closed while the mean still holds rest, p = a·t³/6w; by Newton's method from there on."""
        width_s = self._smoothing_s
        grid_s = np.linspace(0, self.duration_s / 2, GRID)
        times_s = np.interp(positions, self._smoothed(grid_s), grid_s)
        for _ in range(NEWTON_STEPS):
            rate = (self._position(times_s) - self._position(times_s - width_s)) / width_s
            times_s = times_s - (self._smoothed(times_s) - positions) / np.maximum(rate, self._speed * 1e-9)
            times_s = np.clip(times_s, 0.0, self.duration_s / 2)
        starting_s = np.cbrt(6 * width_s * positions / self._acceleration)
        return np.where(starting_s <= min(width_s, self._ramp_s), starting_s, times_s)

    def _smoothed(self, times_s: Times) -> Times:
        return (self._area(times_s) - self._area(times_s - self._smoothing_s)) / self._smoothing_s

    def _position(self, times_s: Times) -> Times:
        """q: where the trapezoid is, 0 before it begins and the whole distance after its end."""
        inside_s = np.clip(times_s, 0.0, self._unsmoothed_s)
        left_s = self._unsmoothed_s - inside_s
        ramp = self._acceleration * self._ramp_s**2 / 2
        position = ramp + self._speed * (inside_s - self._ramp_s)
        position = np.where(inside_s < self._ramp_s, self._acceleration * inside_s**2 / 2, position)
        return np.where(left_s < self._ramp_s, self._distance - self._acceleration * left_s**2 / 2, position)

    def _area(self, times_s: Times) -> Times:
        """Q: the integral of q from the beginning, by symmetry from either end."""
        inside_s = np.clip(times_s, 0.0, self._unsmoothed_s)
        left_s = self._unsmoothed_s - inside_s
        whole = self._distance * self._unsmoothed_s / 2
        ending = whole - self._distance * left_s + self._area_of_ramps(left_s)
        area = np.where(inside_s <= left_s, self._area_of_ramps(inside_s), ending)
        return area + self._distance * np.maximum(times_s - self._unsmoothed_s, 0.0)

    def _area_of_ramps(self, inside_s: Times) -> Times:
        """Q while the motion speeds up or cruises."""
        ramp_s, cruising_s = np.minimum(inside_s, self._ramp_s), np.maximum(inside_s - self._ramp_s, 0.0)
        ramp = self._acceleration * self._ramp_s**2 / 2
        return self._acceleration * ramp_s**3 / 6 + ramp * cruising_s + self._speed * cruising_s**2 / 2
