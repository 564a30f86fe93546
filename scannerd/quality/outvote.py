"""A ring's first photos, which little could be compared with: more later ones that agree among them outvote them."""

from collections.abc import Sequence

from offload.wire.bundle import Place
from scannerd.quality.findings import Judged
from scannerd.quality.look import Afterthought, Aspect, Finding
from scannerd.quality.references import Reference

MOST_OUTVOTED = 3
"""What more photos than these agree on stands: then it is the light that changed."""


def outvoted(judged: Sequence[Judged], reference: Reference, place: Place) -> tuple[Afterthought, ...]:
    """Return what is wrong with the ring's first photos, once more photos speak against them; else nothing.

    Nothing is known of the ring then: the photo at hand says what is usual. A lamp that was switched after the first
    photo looks the same, and is answered the same way.
    """
    drift = next((each.finding for each in judged if each.finding.aspect is Aspect.DRIFT), None)
    if drift is None or not place.is_plain or not 1 <= reference.photos <= MOST_OUTVOTED:
        return ()
    if drift.passed:
        reference.against.clear()
        return ()
    reference.against.append(drift.value)
    if sum(_agree(factor, drift) for factor in reference.against) <= reference.photos:
        return ()
    first = reference.first
    reference.forget_all()
    return tuple(Afterthought(each, _said_of(drift)) for each in first)


def _agree(before: float, now: Finding) -> bool:
    return max(before, now.value) <= min(before, now.value) * now.limit


def _said_of(drift: Finding) -> Finding:
    factor = 1 / drift.value if drift.value > 0 else float("inf")
    way = "brighter" if factor > 1 else "darker"
    says = f"{abs(factor - 1):.0%} {way} than the photos after it, limit {drift.limit - 1:.0%}"
    return Finding(Aspect.DRIFT, factor, drift.limit, "x", False, says)
