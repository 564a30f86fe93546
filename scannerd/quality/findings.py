"""From measurements to findings: each number beside its limit, in words for people, and what may help."""

from collections.abc import Iterator
from dataclasses import dataclass

from offload.wire.bundle import Place
from scannerd.config import QualitySection
from scannerd.quality.brightness import light_of_level, ratio_of_light
from scannerd.quality.look import Aspect, Finding, Remedy
from scannerd.quality.mat_evidence import PrintLevels
from scannerd.quality.references import Reference
from scannerd.quality.witness import Testimony

SHARP_ENOUGH_PX = 0.8
"""Edges narrower than this lie between two pixels: small photos differ there by chance, not by blur."""
FIRST_WIDTH_SHARE = 1.25 / 1600
"""Of the photo's width: what the mat's printed edges may be wide in the first photo, when none was there before."""
FIRST_WIDTH_PX = 1.25
WITHOUT_MAT_PX = 2.8
"""The same for the object's own edges where no mat is read."""
BESIDE_PRINT = 0.5
"""Share of its usual sharpness that the object must keep where the mat is sharp: its sides may differ as much."""
LEAST_CORNERS_SHARE, LEAST_USUAL_CORNERS = 0.3, 16
MIDDLE_CLIPPED, MIDDLE_DARK = 0.35, 0.98
"""Limits for the photo's middle, while nobody can tell what is object there."""
LEAST_LIGHT = 0.13
"""Of a full scale that the brightest things in a photo must reach."""
BRACKET_DRIFT = 0.25
SMALLEST = 0.05


@dataclass(frozen=True)
class Judged:
    """A finding, and what it asks for where it did not pass."""

    finding: Finding
    remedy: Remedy
    rank: int
    """Of several faults, the lowest decides."""


def findings_of(testimony: Testimony, reference: Reference, limits: QualitySection, place: Place) -> list[Judged]:
    """Return everything that can be said of one frame."""
    light = list(_light(testimony, reference, limits, place))
    well_lit = all(each.finding.passed for each in light)
    sharp = list(_sharpness(testimony, reference, limits, place))
    judged = [*light, *sharp, *_mat(testimony, reference, place)]
    # An outline that is out of focus, or darker on purpose, lies elsewhere.
    if place.exposure_ev == 0 and place.focus_offset_dioptres == 0:
        judged += [*_stand(testimony), *_framing(testimony, limits, well_lit)]
    return judged


def _sharpness(testimony: Testimony, reference: Reference, limits: QualitySection, place: Place) -> Iterator[Judged]:
    factor = limits.min_relative_sharpness
    judged_freely = factor == 0 or place.focus_offset_dioptres != 0
    printed = testimony.print
    if printed is not None:
        usual = reference.least_usual(Aspect.PRINT)
        limit_px = _limit_px(usual, factor, max(FIRST_WIDTH_PX, FIRST_WIDTH_SHARE * testimony.photo_width_px))
        smeared = printed.is_smeared and printed.across_px > limit_px
        passed = not smeared if place.focus_offset_dioptres != 0 else printed.width_px <= limit_px
        cause = "the table still moved" if printed.is_smeared else "out of focus"
        says = f"printed edges {printed.width_px:.1f} px wide{_usually(usual)}"
        if not (passed or factor == 0):
            says += f", limit {limit_px:.1f} px: {cause}"
        remedy = Remedy.WAIT if printed.is_smeared else Remedy.REFOCUS
        finding = Finding(Aspect.PRINT, printed.width_px, limit_px, "px", passed or factor == 0, says)
        yield Judged(finding, remedy, 2)
    width_px = testimony.edges.width_px
    if width_px is None:
        return
    usual = reference.least_usual(Aspect.SHARPNESS)
    # Without a mat, what differs from side to side of the object is allowed for by squaring.
    share = BESIDE_PRINT * factor if printed is not None else factor * factor
    first_px = WITHOUT_MAT_PX if printed is None else 3 * WITHOUT_MAT_PX
    limit_px = _limit_px(usual, share, first_px)
    passed = judged_freely or width_px <= limit_px
    says = f"edges {width_px:.1f} px wide{_usually(usual)}"
    if not passed:
        says += f", limit {limit_px:.1f} px"
    yield Judged(Finding(Aspect.SHARPNESS, width_px, limit_px, "px", passed, says), Remedy.WAIT, 3)


def _limit_px(usual_px: float | None, share: float, first_px: float) -> float:
    if usual_px is None:
        return first_px
    return max(usual_px / max(share, 1e-6), SHARP_ENOUGH_PX)


def _usually(usual_px: float | None) -> str:
    return ", the first photo" if usual_px is None else f", this scan's {usual_px:.1f} px"


def _light(testimony: Testimony, reference: Reference, limits: QualitySection, place: Place) -> Iterator[Judged]:
    clipping = testimony.clipping
    what = "object" if testimony.knows_object else "middle"
    if clipping is not None and place.exposure_ev <= 0:
        limit = _most_clipped(testimony, limits)
        says = f"{clipping.white:.0%} of the {what} is blown out, limit {limit:.0%}; less light or a shorter exposure"
        finding = Finding(Aspect.CLIPPED, clipping.white, limit, "", clipping.white <= limit, says)
        yield Judged(finding, Remedy.DARKER, 1)
    if clipping is not None and place.exposure_ev >= 0:
        yield _darkness(testimony, limits, what)
    yield from _drift(testimony, reference, limits, place)


def _most_clipped(testimony: Testimony, limits: QualitySection) -> float:
    """A bright background may be burnt; but a limit stricter than the usual one is meant for all that is seen."""
    limit = limits.max_clipped_fraction
    strict = limit < QualitySection().max_clipped_fraction
    return limit if strict or testimony.knows_object else max(limit, MIDDLE_CLIPPED)


def _darkness(testimony: Testimony, limits: QualitySection, what: str) -> Judged:
    clipping = testimony.clipping
    assert clipping is not None
    # A mask from motion alone leaks: into a dark room, perhaps.
    told = testimony.knows_object and testimony.view is not None
    limit = limits.max_dark_fraction if told else max(limits.max_dark_fraction, MIDDLE_DARK)
    print_levels = _print_levels(testimony)
    brightest = max(clipping.brightest, print_levels.paper if print_levels else 0.0)
    help_ = "lens cap? more light or a longer exposure"
    if light_of_level(brightest) < LEAST_LIGHT and limits.max_dark_fraction < 1:
        reached = light_of_level(brightest)
        says = f"the brightest things reach {reached:.0%} of full light, {LEAST_LIGHT:.0%} needed; {help_}"
        return Judged(Finding(Aspect.DARK, clipping.black, limit, "", False, says), Remedy.BRIGHTER, 0)
    says = f"{clipping.black:.0%} of the {what} is black, limit {limit:.0%}; {help_}"
    return Judged(Finding(Aspect.DARK, clipping.black, limit, "", clipping.black <= limit, says), Remedy.BRIGHTER, 0)


def _drift(testimony: Testimony, reference: Reference, limits: QualitySection, place: Place) -> Iterator[Judged]:
    now = _print_levels(testimony)
    factor = testimony.seen.light if testimony.seen is not None else None
    if now is not None:
        paper, ink = reference.least_usual(Aspect.PAPER), reference.least_usual(Aspect.INK)
        if paper is not None and ink is not None:
            factor = ratio_of_light(now, PrintLevels(paper, ink))
        for aspect, level in ((Aspect.PAPER, now.paper), (Aspect.INK, now.ink)):
            yield Judged(
                Finding(aspect, level, 255, "", True, f"the mat's {aspect} at level {level:.0f}"), Remedy.NONE, 9
            )
    if factor is None:
        return
    factor /= 2**place.exposure_ev
    allowed = max(limits.max_light_drift, BRACKET_DRIFT if place.exposure_ev else 0.0)
    passed = allowed >= 1 or 1 - allowed <= factor <= 1 + allowed
    way = "brighter" if factor > 1 else "darker"
    says = f"{abs(factor - 1):.0%} {way} than this scan's first photos, limit {allowed:.0%}: did the light change?"
    yield Judged(Finding(Aspect.DRIFT, factor, 1 + allowed, "x", passed, says), Remedy.WAIT, 1)


def _mat(testimony: Testimony, reference: Reference, place: Place) -> Iterator[Judged]:
    usual = reference.least_usual(Aspect.MAT)
    if testimony.mat is None and usual is None:
        return
    seen = 0 if testimony.mat is None else len(testimony.mat.numbers)
    limit = 0.0
    # What is out of focus on purpose may show none of them.
    if usual is not None and usual >= LEAST_USUAL_CORNERS and place.focus_offset_dioptres == 0:
        limit = LEAST_CORNERS_SHARE * usual
    says = f"{seen} corners of the mat seen"
    if seen < limit:
        says += f", this scan's {usual:.0f}: blurred, or something is in the way"
    yield Judged(Finding(Aspect.MAT, float(seen), limit, "", seen >= limit, says), Remedy.WAIT, 4)


def _stand(testimony: Testimony) -> Iterator[Judged]:
    if testimony.stand is None or testimony.off_mm <= testimony.stand.limit_mm:
        return
    limit_mm, off_mm = testimony.stand.limit_mm, testimony.off_mm
    says = f"the camera was moved: the mat is seen {off_mm:.1f} mm out of place, limit {limit_mm:.1f} mm; put it back"
    yield Judged(Finding(Aspect.STAND, off_mm, limit_mm, "mm", False, says), Remedy.NONE, 7)


def _framing(testimony: Testimony, limits: QualitySection, well_lit: bool) -> Iterator[Judged]:
    framing = testimony.framing
    # Masks from motion alone leak too much to tell where the outline is.
    if framing is None or testimony.view is None or not well_lit:
        return
    limit = limits.max_cut_off_fraction
    says = f"{framing.cut_off:.1%} of the object's outline is cut off, limit {limit:.1%}; move camera or object"
    finding = Finding(Aspect.CUT_OFF, framing.cut_off, limit, "", framing.cut_off <= limit, says)
    yield Judged(finding, Remedy.NONE, 5)
    says = f"the object takes {framing.size:.0%} of the photo, {SMALLEST:.0%} needed; move the camera nearer"
    yield Judged(Finding(Aspect.SIZE, framing.size, SMALLEST, "", framing.size >= SMALLEST, says), Remedy.NONE, 6)


def _print_levels(testimony: Testimony) -> PrintLevels | None:
    if testimony.seen is None or testimony.seen.mat is None:
        return None
    return testimony.seen.mat.print_levels
