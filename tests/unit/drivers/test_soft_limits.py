import math

import pytest

from drivers.protocols import OutsideLimits
from drivers.soft_limits import check_move, check_place

LIMITS_DEG = (10.0, 70.0)


def test_both_limits_themselves_may_be_reached() -> None:
    for angle_deg in LIMITS_DEG:
        check_place("lift", angle_deg, LIMITS_DEG)


@pytest.mark.parametrize("angle_deg", [9.99, 70.01])
def test_a_place_beyond_them_is_refused_with_what_is_allowed(angle_deg: float) -> None:
    with pytest.raises(OutsideLimits, match=rf"lift: {angle_deg:.2f}° is outside its soft limits 10.00° to 70.00°"):
        check_place("lift", angle_deg, LIMITS_DEG)


@pytest.mark.parametrize("angle_deg", [math.nan, math.inf])
def test_without_limits_any_angle_is_a_place_and_what_is_none_is_refused(angle_deg: float) -> None:
    check_place("turntable", 1e6, None)
    with pytest.raises(OutsideLimits, match=r"turntable: .* is no angle"):
        check_place("turntable", angle_deg, None)


def test_only_a_move_back_needs_room_for_its_play() -> None:
    check_move("lift", 5.0, 10.0, 2.0, LIMITS_DEG)
    check_move("lift", 60.0, 12.0, 2.0, LIMITS_DEG)
    with pytest.raises(OutsideLimits, match=r"9\.00°"):
        check_move("lift", 60.0, 11.0, 2.0, LIMITS_DEG)
