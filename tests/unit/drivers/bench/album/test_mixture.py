import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bench.album.mixture import between_mixture, near_mixture
from drivers.bench.scene import Exposure

KNOWN_MDEG = [0, 150, 300, 5700, 5850, 6000, 359_700, 359_850]


def seen(*angles_deg: float) -> Exposure:
    return Exposure(640, 480, angles_deg)


def test_an_angle_between_two_pictures_is_mixed_of_both_by_nearness():
    assert between_mixture(seen(0.05), KNOWN_MDEG) == pytest.approx({0: 2 / 3, 150: 1 / 3})


def test_the_turn_closes():
    assert between_mixture(seen(-0.075), KNOWN_MDEG) == pytest.approx({359_850: 0.5, 0: 0.5})
    assert between_mixture(seen(720.075), KNOWN_MDEG) == pytest.approx({0: 0.5, 150: 0.5})


def test_where_pictures_are_far_apart_nothing_shows_a_platter_that_stands():
    assert between_mixture(seen(3.0), KNOWN_MDEG) is None


def test_a_platter_that_rushes_by_is_mixed_of_what_there_is():
    mixture = between_mixture(seen(2.0, 2.5, 3.0, 3.5, 4.0), KNOWN_MDEG)
    assert mixture == pytest.approx({300: 0.5, 5700: 0.5}, abs=0.01)


def test_a_photo_takes_the_nearest_picture_and_none_that_is_far():
    known = [0, 40, 359_960]
    assert near_mixture(seen(0.015), known) == {0: 1.0}
    assert near_mixture(seen(-0.03), known) == {359_960: 1.0}
    assert near_mixture(seen(0.0, 0.03, 0.04, 0.04), known) == pytest.approx({0: 0.25, 40: 0.75})
    assert near_mixture(seen(0.09), known) is None
    assert near_mixture(seen(0.0, 0.3), known) is None


@given(st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=9))
def test_a_mixture_shows_the_mean_angle(angles_deg):
    mixture = between_mixture(seen(*angles_deg), KNOWN_MDEG)
    assert mixture is not None
    assert sum(mixture.values()) == pytest.approx(1)
    mean_deg = sum(share * ((angle / 1000 + 180) % 360 - 180) for angle, share in mixture.items())
    assert mean_deg == pytest.approx(sum(angles_deg) / len(angles_deg), abs=0.02)
