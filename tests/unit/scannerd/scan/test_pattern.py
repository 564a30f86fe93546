"""Where a scan's photos are taken from: counted, ordered, and always turning the same way."""

from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.commands import Wishes
from scannerd.config import ScanSection
from scannerd.config_motors import LiftSection
from scannerd.scan.pattern import MOST_PHOTOS, ImpossiblePattern, Pattern, Ring, bracket, pattern_of

RINGS = st.lists(
    st.builds(Ring, st.integers(3, 12), st.none() | st.floats(-10, 90)), min_size=1, max_size=6
).map(tuple)  # fmt: skip
PATTERNS = st.builds(
    Pattern,
    rings=RINGS,
    sides=st.integers(1, 3),
    exposures_ev=st.builds(bracket, st.integers(1, 5), st.floats(0.1, 2)),
    focus_dioptres=st.builds(bracket, st.integers(1, 5), st.floats(0.01, 2)),
    repeats=st.integers(1, 4),
)
LIFT = LiftSection(driver="stepper_gpio", lowest_deg=10, highest_deg=70)


@given(PATTERNS)
def test_every_photo_is_told_once_and_counted(pattern: Pattern) -> None:
    stops = list(pattern.stops())
    assert len(stops) == len(set(stops)) == pattern.photos


@given(PATTERNS)
def test_the_platter_turns_one_way_only_and_stands_while_it_brackets(pattern: Pattern) -> None:
    stops = list(pattern.stops())
    assert stops[0].angle_deg == 0
    assert all(before.angle_deg <= after.angle_deg for before, after in pairwise(stops))
    at_one_angle = len(pattern.exposures_ev) * len(pattern.focus_dioptres) * pattern.repeats
    for _, photos in groupby(stops, key=lambda stop: stop.angle_deg):
        together = list(photos)
        assert len(together) == at_one_angle
        first = together[0]
        assert (first.exposure_ev, first.focus_offset_dioptres, first.repeat) == (0, 0, 0), "the plain photo first"


@given(PATTERNS)
def test_the_camera_is_moved_once_a_ring_and_the_object_once_a_side(pattern: Pattern) -> None:
    places = [place for place, _ in groupby(pattern.stops(), key=lambda stop: (stop.side, stop.ring))]
    expected = [(side, ring) for side in range(pattern.sides) for ring in range(len(pattern.rings))]
    assert places == expected
    for stop in pattern.stops():
        assert stop.elevation_deg == pattern.rings[stop.ring].elevation_deg


@given(PATTERNS)
def test_every_ring_goes_round_in_equal_steps(pattern: Pattern) -> None:
    for (_, number), photos in groupby(pattern.stops(), key=lambda stop: (stop.side, stop.ring)):
        angles_deg = sorted({stop.angle_deg for stop in photos})
        step_deg = 360 / pattern.rings[number].views
        gaps = [after - before for before, after in pairwise([*angles_deg, angles_deg[0] + 360])]
        assert gaps == pytest.approx([step_deg] * len(angles_deg))


@given(st.integers(1, 9), st.floats(0.01, 2))
def test_a_bracket_lies_around_what_was_locked(count: int, step: float) -> None:
    values = bracket(count, step)
    assert len(set(values)) == count
    assert values[0] == 0
    assert abs(min(values)) <= max(values) or count == 1
    gaps = [after - before for before, after in pairwise(sorted(values))]
    assert gaps == pytest.approx([step] * (count - 1), abs=2e-6)


@pytest.mark.parametrize(
    ("settings", "wishes", "views"),
    [
        ({}, Wishes(), (36,)),
        ({"rings": 2}, Wishes(), (36, 36)),
        ({"ring_views": [24, 12]}, Wishes(), (24, 12)),
        ({"ring_views": [24, 12]}, Wishes(views=8), (8,)),
        ({"ring_views": [24, 12]}, Wishes(views=8, rings=2), (8, 8)),
        ({"ring_views": [24, 12]}, Wishes(rings=3), (24, 12, 36)),
        ({"ring_views": [24, 12]}, Wishes(ring_views=(5, 6, 7)), (5, 6, 7)),
        ({"ring_elevations_deg": [20, 50]}, Wishes(), (36, 36)),
        ({"rings": 3}, Wishes(ring_elevations_deg=(20, 50)), (36, 36)),
    ],
)
def test_wishes_go_before_settings_and_lists_before_numbers(
    settings: dict[str, object], wishes: Wishes, views: tuple[int, ...]
) -> None:
    pattern = pattern_of(ScanSection.model_validate(settings), wishes)
    assert tuple(ring.views for ring in pattern.rings) == views


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(rings=3, ring_views=(8, 8)), "names 2 rings of 3"),
        (Wishes(ring_views=(8, 8), ring_elevations_deg=(30.0,)), "names 1 rings of 2"),
        (Wishes(views=720, rings=6), f"4320 photos: a scan has at most {MOST_PHOTOS}"),
        (Wishes(views=100, exposure_bracket=7, focus_bracket=9), "6300 photos"),
        (Wishes(ring_views=(3,) * 7), "7 rings: use 1 to 6"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_do(wishes: Wishes, said: str) -> None:
    with pytest.raises(ImpossiblePattern, match=said):
        pattern_of(ScanSection(), wishes)


def test_a_lift_goes_where_it_was_told_and_shares_its_range_when_nobody_said() -> None:
    elevations_deg = [ring.elevation_deg for ring in pattern_of(ScanSection(rings=3), lift=LIFT).rings]
    assert elevations_deg == [20.0, 40.0, 60.0]
    named = pattern_of(ScanSection(), Wishes(ring_elevations_deg=(15.0, 65.0)), LIFT)
    assert [ring.elevation_deg for ring in named.rings] == [15.0, 65.0]
    with pytest.raises(ImpossiblePattern, match="ring 2 at 80°: the lift goes from 10° to 70°"):
        pattern_of(ScanSection(), Wishes(ring_elevations_deg=(15.0, 80.0)), LIFT)


def test_a_person_is_not_bound_to_a_lift_that_is_not_there() -> None:
    wishes = Wishes(ring_elevations_deg=(0.0, 85.0))
    assert [ring.elevation_deg for ring in pattern_of(ScanSection(), wishes, LiftSection()).rings] == [0.0, 85.0]
