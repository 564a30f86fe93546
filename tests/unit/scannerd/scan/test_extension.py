"""Photos added to a scan that has begun."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.commands import Extension, Wishes
from scannerd.config import ScanSection
from scannerd.scan.extension import extension_of
from scannerd.scan.pattern import ImpossiblePattern, pattern_of
from scannerd.scan.plan import Viewpoint, viewpoints_of


def planned(**wishes: object) -> tuple[Viewpoint, ...]:
    return viewpoints_of(pattern_of(ScanSection(), Wishes(**wishes)))  # type: ignore[arg-type]


@given(st.lists(st.floats(-720, 720), min_size=1, max_size=20), st.integers(1, 3))
def test_what_is_added_goes_on_from_what_is_planned(angles_deg: list[float], rings: int) -> None:
    views = planned(views=5, rings=rings)
    added = extension_of(views, Extension(angles_deg=tuple(angles_deg)))
    assert [view.index for view in added] == list(range(len(views), len(views) + len(added)))
    turned = [view.angle_deg for view in (*views, *added)]
    assert turned == sorted(turned), "the platter goes on the same way"
    assert turned[-1] - views[-1].angle_deg < 720, "at most to the next turn, and once round"
    assert {round(view.angle_deg % 360, 6) % 360 for view in added} == {round(a % 360, 6) % 360 for a in angles_deg}
    assert all(view.is_plain for view in added)


def test_an_extension_can_be_extended() -> None:
    views = planned(views=4)
    once = extension_of(views, Extension(views=3))
    twice = extension_of(views + once, Extension(angles_deg=(10.0,)))
    assert [view.angle_deg for view in once] == [360, 480, 600]
    assert [(view.index, view.angle_deg) for view in twice] == [(7, 730.0)]


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        (Extension(views=3), (1, 0, 50.0)),
        (Extension(views=3, ring=0), (0, 0, 20.0)),
        (Extension(views=3, elevation_deg=50.0), (1, 0, 50.0)),
        (Extension(views=3, elevation_deg=70.0), (2, 0, 70.0)),
        (Extension(views=3, ring=2), (2, 0, None)),
        (Extension(views=3, turn_over=True), (0, 1, 20.0)),
        (Extension(views=3, turn_over=True, elevation_deg=40.0), (0, 1, 40.0)),
    ],
)
def test_another_height_is_another_ring_and_a_turned_object_another_side(
    wish: Extension, place: tuple[int, int, float | None]
) -> None:
    added = extension_of(planned(views=4, ring_elevations_deg=(20.0, 50.0)), wish)
    assert {(view.ring, view.side, view.elevation_deg) for view in added} == {place}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Extension(), "nothing to add"),
        (Extension(views=3, angles_deg=(1.0,)), "give one of them"),
        (Extension(views=3, ring=5), "this side has rings 0 to 1"),
        (Extension(views=3, ring=0, elevation_deg=30.0), "ring 1 stands at 20.0°, not at 30.0°"),
        (Extension(angles_deg=(float("nan"),)), "use numbers"),
    ],
)
def test_what_cannot_be_added_is_refused(wish: Extension, said: str) -> None:
    with pytest.raises(ImpossiblePattern, match=said):
        extension_of(planned(views=4, ring_elevations_deg=(20.0, 50.0)), wish)


def test_a_scan_does_not_grow_for_ever() -> None:
    with pytest.raises(ImpossiblePattern, match="4319 photos: a scan has at most 4000"):
        extension_of(planned(views=720, rings=5)[:3599], Extension(views=720))
