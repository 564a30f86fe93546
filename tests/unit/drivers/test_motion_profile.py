import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bench.platter import Platter, PlatterMechanics
from drivers.motion_profile import MotionLimits, move_time_s, move_time_with_play_s, plan_move

STEP_DEG = 0.0375
limits_s = st.builds(
    MotionLimits, st.floats(1.0, 360.0), st.floats(10.0, 3000.0), st.one_of(st.just(0.0), st.floats(0.01, 1.0))
)
steps_s = st.integers(0, 12_000)


@given(steps_s, limits_s)
def test_every_step_is_there_and_the_move_takes_what_theory_says(steps: int, limits: MotionLimits) -> None:
    profile = plan_move(steps, STEP_DEG, limits)
    assert len(profile.intervals_s) == steps
    assert profile.duration_s == pytest.approx(move_time_s(steps * STEP_DEG, limits), rel=1e-9, abs=1e-12)


@given(steps_s, limits_s)
def test_never_faster_than_full_speed(steps: int, limits: MotionLimits) -> None:
    profile = plan_move(steps, STEP_DEG, limits)
    assert np.all(STEP_DEG / profile.intervals_s <= limits.speed_deg_s * (1 + 1e-6))


@given(st.integers(2, 12_000), limits_s)
def test_never_accelerates_more_than_allowed(steps: int, limits: MotionLimits) -> None:
    intervals_s = plan_move(steps, STEP_DEG, limits).intervals_s
    speed_deg_s = STEP_DEG / intervals_s
    between_s = (intervals_s[1:] + intervals_s[:-1]) / 2
    assert np.all(np.abs(np.diff(speed_deg_s)) / between_s <= limits.acceleration_deg_s2 * (1 + 1e-3))


@given(steps_s, limits_s)
def test_it_brakes_as_it_starts(steps: int, limits: MotionLimits) -> None:
    intervals_s = plan_move(steps, STEP_DEG, limits).intervals_s
    np.testing.assert_allclose(intervals_s, intervals_s[::-1], rtol=1e-6, atol=1e-9)


@given(st.integers(1, 12_000), limits_s, st.floats(0, 1))
def test_a_stop_begins_at_the_present_speed_and_ends_at_rest(steps: int, limits: MotionLimits, share: float) -> None:
    profile = plan_move(steps, STEP_DEG, limits)
    issued = round(share * steps)
    stopping_s = profile.stopping_intervals_s(issued)
    assert issued + len(stopping_s) <= steps
    if len(stopping_s) == 0:
        assert issued in (0, steps)
        return
    resting_s = profile.intervals_s[0]
    present_s = profile.intervals_s[issued - 1]
    assert stopping_s[-1] == pytest.approx(profile.intervals_s[0])
    assert stopping_s[0] >= present_s * (1 - 1e-6)
    assert 1 / present_s - 1 / stopping_s[0] <= 1 / resting_s * 1.5


@given(st.integers(1, 4000), limits_s)
def test_a_smoothed_move_takes_just_as_much_longer(steps: int, limits: MotionLimits) -> None:
    plain = MotionLimits(limits.speed_deg_s, limits.acceleration_deg_s2)
    longer_s = move_time_s(steps * STEP_DEG, limits) - move_time_s(steps * STEP_DEG, plain)
    assert longer_s == pytest.approx(limits.smoothing_s)


@given(st.integers(300, 4000), st.floats(0.05, 0.5))
def test_smoothing_bounds_the_jerk_from_the_first_step_on(steps: int, smoothing_s: float) -> None:
    """At a constant jerk a/w the first step is due when a·t³/6w has reached it."""
    limits = MotionLimits(60, 180, smoothing_s)
    first_s = np.cbrt(6 * smoothing_s * STEP_DEG / 180)
    assert plan_move(steps, STEP_DEG, limits).intervals_s[0] == pytest.approx(first_s)


@pytest.mark.parametrize("distance_deg", [3.0, 6.0, 45.0])
def test_smoothed_over_one_swing_hardly_any_swing_is_left(distance_deg: float) -> None:
    """Judged on the bench's platter, which swings at 8 Hz, with steps so fine that none swings it by itself."""
    swing_s = 1 / PlatterMechanics().resonance_hz
    plain_deg, smoothed_deg = (swing_after_deg(distance_deg, MotionLimits(60, 180, s)) for s in (0.0, swing_s))
    assert smoothed_deg < 0.1
    assert smoothed_deg < plain_deg / 3


def swing_after_deg(distance_deg: float, limits: MotionLimits) -> float:
    """Return how far the platter swings in the quarter second after a move."""
    mechanics = PlatterMechanics(steps_per_turn=144_000)
    platter, at_s = Platter(mechanics), 0.0
    for interval_s in plan_move(round(distance_deg / mechanics.step_deg), mechanics.step_deg, limits).intervals_s:
        at_s += interval_s
        platter.step(1, at_s)
    angles_deg = platter.sample(at_s, at_s + 0.25, 100)
    return max(angles_deg) - min(angles_deg)


def test_a_short_way_is_a_triangle() -> None:
    limits = MotionLimits(speed_deg_s=60, acceleration_deg_s2=180)
    assert move_time_s(5, limits) == pytest.approx(2 * math.sqrt(5 / 180))
    assert move_time_s(-5, limits) == move_time_s(5, limits)


def test_a_long_way_is_a_trapezoid() -> None:
    # 10° up, 10° down at 180°/s² (a third of a second each), 70° at 60°/s between.
    assert move_time_s(90, MotionLimits(60, 180)) == pytest.approx(2 / 3 + 70 / 60)


def test_a_move_back_also_goes_there_and_back_over_the_play() -> None:
    limits = MotionLimits(60, 180)
    assert move_time_with_play_s(0, 90, 2, limits) == move_time_s(90, limits)
    assert move_time_with_play_s(90, 0, 0, limits) == move_time_s(90, limits)
    assert move_time_with_play_s(90, 0, 2, limits) == move_time_s(92, limits) + move_time_s(2, limits)


@pytest.mark.parametrize("speed", [0.0, -1.0, math.inf, math.nan])
def test_limits_must_be_possible(speed: float) -> None:
    with pytest.raises(ValueError, match="speed_deg_s"):
        MotionLimits(speed, 180)
