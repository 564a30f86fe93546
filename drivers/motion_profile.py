"""A move from rest to rest at bounded speed and acceleration, as the times between steps. Pure.

The continuous motion is a trapezoid of speed over time (a triangle when the way is too short to reach full speed).
Step k is due when the continuous position reaches k, solved in closed form, so nothing accumulates over long moves:

    accelerating  t(k) = √(2k/a)
    cruising      t(k) = v/a + (k − v²/2a)/v
    slowing       t(k) = T − √(2(n − k)/a)
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Intervals = NDArray[np.float64]


@dataclass(frozen=True)
class MotionLimits:
    """What motor, belt and platter are trusted with."""

    speed_deg_s: float
    acceleration_deg_s2: float

    def __post_init__(self) -> None:
        for name, value in (("speed_deg_s", self.speed_deg_s), ("acceleration_deg_s2", self.acceleration_deg_s2)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value}: must be above 0")


@dataclass(frozen=True)
class MotionProfile:
    """One move."""

    intervals_s: Intervals
    """(steps,), float64: the wait before each step. The same read backwards, since the move is symmetric."""
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


def plan_move(steps: int, step_deg: float, limits: MotionLimits) -> MotionProfile:
    """Return the profile of a move over `steps` ≥ 0 steps of `step_deg` each."""
    if steps < 0:
        raise ValueError(f"steps = {steps}: a profile has no direction, must be 0 or more")
    speed = limits.speed_deg_s / step_deg
    acceleration = limits.acceleration_deg_s2 / step_deg
    ramp = min(speed**2 / (2 * acceleration), steps / 2)
    duration_s = move_time_s(steps * step_deg, limits)
    index = np.arange(steps + 1, dtype=np.float64)
    due_s = math.sqrt(2 * ramp / acceleration) + (index - ramp) / speed
    accelerating = index <= ramp
    slowing = index >= steps - ramp
    due_s[accelerating] = np.sqrt(2 * index[accelerating] / acceleration)
    due_s[slowing] = duration_s - np.sqrt(2 * (steps - index[slowing]) / acceleration)
    return MotionProfile(intervals_s=np.diff(due_s), ramp_steps=math.ceil(ramp))


def move_time_s(distance_deg: float, limits: MotionLimits) -> float:
    """Return how long the trapezoid takes over a distance of either sign."""
    distance = abs(distance_deg)
    ramp_deg = limits.speed_deg_s**2 / (2 * limits.acceleration_deg_s2)
    if distance <= 2 * ramp_deg:
        return 2 * math.sqrt(distance / limits.acceleration_deg_s2)
    return 2 * limits.speed_deg_s / limits.acceleration_deg_s2 + (distance - 2 * ramp_deg) / limits.speed_deg_s
