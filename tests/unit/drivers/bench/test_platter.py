import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bench.platter import Platter, PlatterMechanics

STEP_DEG = 360 / 9600


def turn(platter: Platter, steps: int, start_s: float = 0.0, rate_hz: float = 1600.0) -> float:
    direction = 1 if steps > 0 else -1
    for index in range(abs(steps)):
        platter.step(direction, start_s + index / rate_hz)
    return start_s + abs(steps) / rate_hz


def test_it_comes_to_rest_where_the_motor_points() -> None:
    platter = Platter()
    ended_s = turn(platter, 2400)
    assert platter.settled_angle_deg == pytest.approx(90)
    assert platter.true_angle_deg(ended_s + 3) == pytest.approx(90, abs=1e-4)


def test_it_swings_at_its_resonance_and_fades() -> None:
    platter = Platter(PlatterMechanics(resonance_hz=8, damping_ratio=0.1))
    platter.step(1, 0.0)
    damped_period_s = 1 / (8 * math.sqrt(1 - 0.1**2))
    for turns in (1, 2, 3):
        offset_deg = platter.true_angle_deg(turns * damped_period_s) - STEP_DEG
        expected_deg = -STEP_DEG * math.exp(-0.1 * 2 * math.pi * 8 * turns * damped_period_s)
        assert offset_deg == pytest.approx(expected_deg, rel=1e-6)


def test_the_closed_form_agrees_with_integration() -> None:
    """θ'' = ω²(φ − θ) − 2ζωθ', integrated in small steps over a move and the swing after it."""
    platter = Platter()
    omega, zeta = 2 * math.pi * 8, 0.1
    pulses_s = [index / 400 for index in range(60)]
    for at_s in pulses_s:
        platter.step(1, at_s)
    angle, rate, step_s = 0.0, 0.0, 1e-5
    for index in range(30_000):
        at_s = index * step_s
        drive = STEP_DEG * np.searchsorted(pulses_s, at_s + step_s / 2, side="right")
        rate += (omega**2 * (drive - angle) - 2 * zeta * omega * rate) * step_s
        angle += rate * step_s
    assert platter.true_angle_deg(0.3) == pytest.approx(angle, abs=2e-3)


@given(st.lists(st.tuples(st.sampled_from([1, -1]), st.floats(0, 0.01)), min_size=1, max_size=60))
def test_any_order_of_steps_ends_at_their_sum(moves: list[tuple[int, float]]) -> None:
    platter, at_s = Platter(), 0.0
    for direction, pause_s in moves:
        at_s += pause_s
        platter.step(direction, at_s)
    assert platter.motor_steps == sum(direction for direction, _ in moves)
    assert platter.true_angle_deg(at_s + 10) == pytest.approx(platter.motor_steps * STEP_DEG, abs=1e-9)


def test_samples_of_a_past_exposure_are_the_angles_of_then() -> None:
    platter = Platter()
    turn(platter, 800)
    then = platter.sample(0.2, 0.22, 5)
    turn(platter, 800, start_s=0.6)
    assert platter.sample(0.2, 0.22, 5) == then
    assert then == tuple(platter.true_angle_deg(at_s) for at_s in np.linspace(0.2, 0.22, 5))
    assert then[-1] - then[0] == pytest.approx(60 * 0.02, abs=0.5)


def test_what_is_forgotten_is_said_to_be() -> None:
    platter = Platter()
    turn(platter, 20_000)
    with pytest.raises(ValueError, match="remembers only since"):
        platter.true_angle_deg(0.1)


def test_backlash_swallows_the_first_steps_after_a_reversal() -> None:
    platter = Platter(PlatterMechanics(backlash_deg=20 * STEP_DEG))
    ended_s = turn(platter, 100)
    assert platter.settled_angle_deg == pytest.approx(90 * STEP_DEG)
    ended_s = turn(platter, -20, ended_s)
    assert platter.settled_angle_deg == pytest.approx(90 * STEP_DEG)
    turn(platter, -30, ended_s)
    assert platter.settled_angle_deg == pytest.approx(60 * STEP_DEG)


def test_step_error_vanishes_on_whole_steps() -> None:
    platter = Platter(PlatterMechanics(step_error_deg=0.05))
    turn(platter, 4)
    assert platter.settled_angle_deg == pytest.approx(4 * STEP_DEG + 0.05)
    turn(platter, 12, start_s=1.0)
    assert platter.settled_angle_deg == pytest.approx(16 * STEP_DEG)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_a_pulley_off_its_centre_errs_once_a_turn_and_not_at_home(seed: int) -> None:
    platter = Platter(PlatterMechanics(eccentricity_deg=0.4, seed=seed))
    errors_deg = []
    at_s = 0.0
    for quarter in range(9):
        errors_deg.append(platter.settled_angle_deg - 90 * quarter)
        at_s = turn(platter, 2400, at_s)
    assert errors_deg[0] == errors_deg[4] == pytest.approx(0, abs=1e-9)
    assert errors_deg[8] == pytest.approx(0, abs=1e-9)
    # Four points of a sine about its mean: opposite ones are as far off, to opposite sides.
    middle = (errors_deg[0] + errors_deg[2]) / 2
    assert (errors_deg[1] + errors_deg[3]) / 2 == pytest.approx(middle, abs=1e-9)
    assert math.hypot(errors_deg[0] - middle, errors_deg[1] - middle) == pytest.approx(0.4)


def test_the_seed_says_where_axis_and_pulley_are_off() -> None:
    first, again, other = (PlatterMechanics(wobble_deg=0.3, seed=seed) for seed in (1, 1, 2))
    assert first.wobble == again.wobble != other.wobble
    assert first.eccentric_rad == again.eccentric_rad != other.eccentric_rad
    assert PlatterMechanics().wobble.tilt_deg == 0
