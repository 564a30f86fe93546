"""A first photo that was odd must not have every later one refused."""

from offload.wire.bundle import Place
from scannerd.quality.findings import Judged
from scannerd.quality.look import Aspect, Finding, Remedy
from scannerd.quality.outvote import MOST_OUTVOTED, outvoted
from scannerd.quality.references import Reference

LIMIT = 1.1


def drifted(factor: float) -> list[Judged]:
    """What the gate finds of a photo in `factor` times the light of the reference."""
    finding = Finding(Aspect.DRIFT, factor, LIMIT, "x", 1 / LIMIT <= factor <= LIMIT, "light")
    return [Judged(finding, Remedy.WAIT, 1)]


def reference_of(photos: int) -> Reference:
    reference = Reference()
    for index in range(photos):
        reference.count([], Place(index=index))
    return reference


def test_two_photos_that_agree_outvote_one() -> None:
    reference = reference_of(1)
    assert outvoted(drifted(3.0), reference, Place(index=1)) == ()
    (afterthought,) = outvoted(drifted(3.1), reference, Place(index=2))
    assert afterthought.place.index == 0
    assert "68% darker than the photos after it" in afterthought.finding.says
    assert reference.photos == 0, "the photo at hand says what is usual"


def test_photos_that_do_not_agree_outvote_nobody() -> None:
    reference = reference_of(1)
    for index, factor in enumerate((3.0, 0.4, 1.5, 2.0), start=1):
        assert outvoted(drifted(factor), reference, Place(index=index)) == ()


def test_a_photo_like_the_first_confirms_it() -> None:
    reference = reference_of(1)
    for factor in (3.0, 1.0, 3.0):
        assert outvoted(drifted(factor), reference, Place(index=1)) == ()


def test_it_takes_more_photos_than_were_kept() -> None:
    reference = reference_of(2)
    assert outvoted(drifted(1.3), reference, Place(index=2)) == ()
    assert outvoted(drifted(1.3), reference, Place(index=3)) == ()
    assert [each.place.index for each in outvoted(drifted(1.3), reference, Place(index=4))] == [0, 1]


def test_light_that_changes_later_is_the_light() -> None:
    reference = reference_of(MOST_OUTVOTED + 1)
    for index in range(8):
        assert outvoted(drifted(1.3), reference, Place(index=5 + index)) == ()


def test_a_bracket_has_no_say() -> None:
    reference = reference_of(1)
    for index in range(3):
        assert outvoted(drifted(3.0), reference, Place(index=1 + index, exposure_ev=1.0)) == ()
