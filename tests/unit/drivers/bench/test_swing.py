import numpy as np
import pytest

from drivers.bench.platter import Platter, PlatterMechanics
from drivers.motion_profile import MotionLimits, plan_move


def turned(platter: Platter, steps: int, began_s: float) -> float:
    """Return when the last step was issued."""
    at_s = began_s
    for interval_s in plan_move(steps, platter.mechanics.step_deg, MotionLimits(60, 180)).intervals_s:
        at_s += interval_s
        platter.step(1, at_s)
    return at_s


@pytest.mark.parametrize("damping_ratio", [0.05, 0.1, 0.3])
def test_the_platter_is_where_its_swing_says(damping_ratio: float):
    platter = Platter(PlatterMechanics(damping_ratio=damping_ratio))
    last_s = turned(platter, 160, 1.0)
    swing = platter.swings()[-1]
    assert swing.began_s == last_s
    assert swing.rest_deg == pytest.approx(6.0)
    after_s = np.linspace(0, 1, 101)
    true_deg = [platter.true_angle_deg(last_s + after) for after in after_s]
    assert swing.angles_deg(after_s) == pytest.approx(true_deg, abs=1e-9)


def test_settled_means_that_no_later_exposure_is_blurred_and_an_earlier_one_is():
    platter = Platter(PlatterMechanics())
    last_s = turned(platter, 160, 1.0)
    settled_s = platter.swings()[-1].settled_after_s(0.02, 0.02)
    assert settled_s > 0.1

    def travel_deg(after_s: float) -> float:
        angles = platter.sample(last_s + after_s, last_s + after_s + 0.02, 200)
        return max(angles) - min(angles)

    assert all(travel_deg(after_s) < 0.0201 for after_s in np.arange(settled_s, settled_s + 0.5, 0.002))
    assert travel_deg(settled_s - 0.001) >= 0.0198


def test_each_rest_is_a_swing_of_its_own():
    platter = Platter(PlatterMechanics())
    first_s = turned(platter, 160, 1.0)
    turned(platter, 160, first_s + 0.4)
    assert [swing.rest_deg for swing in platter.swings()] == pytest.approx([0, 6, 12])
