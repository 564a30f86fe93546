"""Accept a photo, take it again, or ask a person: always with the measured number and its limit.

What was right in this scan's earlier photos may be right the next moment: the photo is taken again. What cannot
change by waiting is asked.
"""

from collections.abc import Iterable

from drivers.protocols import Frame
from offload.wire.bundle import MatSpec, Place
from scannerd.config import QualitySection
from scannerd.quality.findings import Judged, findings_of
from scannerd.quality.hindsight import Hindsight
from scannerd.quality.look import Afterthought, Aspect, Look, Remedy, Verdict
from scannerd.quality.outvote import outvoted
from scannerd.quality.references import Measured, References
from scannerd.quality.witness import Testimony, Witness

LIGHT = (Aspect.CLIPPED, Aspect.DARK, Aspect.DRIFT)
FRAMING = (Aspect.CUT_OFF, Aspect.SIZE, Aspect.STAND)
COMPARED = (Aspect.PRINT, Aspect.SHARPNESS, Aspect.PAPER, Aspect.INK, Aspect.MAT)
"""What later photos are compared with."""


class Gate:
    """Judges the frames of one scan, in one thread. After a resume, `remember` gives it back what it knew."""

    def __init__(self, limits: QualitySection, mat: MatSpec | None = None) -> None:
        """`mat` is the one that lies on the platter, if one does."""
        self._limits = limits
        self._witness = Witness(mat)
        self._references = References()
        self._hindsight = Hindsight()
        self._tolerated: set[Aspect] = set()

    def take(self, limits: QualitySection) -> None:
        """Judge by other limits from now on; what a person has said about the light stays."""
        self._limits = limits

    def judge(self, frame: Frame, place: Place) -> Look:
        """Look at one frame of this place."""
        testimony = self._witness.look(frame, place.ring)
        reference = self._references.of(place, testimony.room.number)
        judged = findings_of(testimony, reference, self._limits, place)
        against_first = outvoted(judged, reference, place)
        if against_first:
            self._witness.forget()
            testimony = self._witness.look(frame, place.ring)
            reference = self._references.of(place, testimony.room.number)
            judged = findings_of(testimony, reference, self._limits, place)
        faults = [each for each in judged if not each.finding.passed and each.finding.aspect not in self._tolerated]
        decisive = min(faults, key=lambda each: each.rank, default=None)
        verdict, remedy = self._verdict(decisive)
        self._hindsight.saw(place, testimony)
        shows_the_room = place.exposure_ev == 0 and place.focus_offset_dioptres == 0
        if shows_the_room and verdict is Verdict.ACCEPT:
            self._witness.learn(testimony)
        return Look(
            verdict=verdict,
            reason=decisive.finding.says if decisive is not None else _in_short(judged),
            sharpness=1 / _width_px(testimony),
            findings=tuple(each.finding for each in judged),
            remedy=remedy,
            place=place,
            mat=testimony.mat,
            mask=testimony.mask if _is_whole(testimony) else None,
            edges=testimony.edges.strength,
            room=testimony.room.number,
            afterthoughts=against_first + self._look_back(),
        )

    def learn(self, look: Look) -> None:
        """Count a photo that was kept."""
        if look.place is not None:
            self.remember(look.place, look.findings, look.room)
            if look.verdict is Verdict.ACCEPT:
                self._hindsight.keep(look.place)

    def remember(self, place: Place, findings: Iterable[Measured], room: int = 0) -> None:
        """Count a photo that was kept, as its sidecar tells it; a resume does so with all of them, in their order."""
        if place.is_plain:
            self._references.of(place, room).count((each for each in findings if each.aspect in COMPARED), place)

    def tolerate(self, aspects: Iterable[Aspect]) -> None:
        """A person looked and wants it so: ask no more about this in this scan."""
        wanted = set(aspects)
        self._tolerated |= wanted & {*LIGHT, *FRAMING}
        if wanted & {*LIGHT}:
            self._references.forget((Aspect.PAPER, Aspect.INK))
        if wanted & {Aspect.PRINT, Aspect.SHARPNESS, Aspect.MAT}:
            self._references.forget((Aspect.PRINT, Aspect.SHARPNESS, Aspect.MAT))

    def tolerate_exposure(self) -> None:
        """A person looked at light and framing and wants them so: ask no more in this scan."""
        self.tolerate((*LIGHT, *FRAMING))

    def _look_back(self) -> tuple[Afterthought, ...]:
        # Who wants the framing as it is has not said so of photos from where the camera stands no more.
        limit = 1.0 if Aspect.CUT_OFF in self._tolerated else self._limits.max_cut_off_fraction
        return self._hindsight.look_back(self._witness, limit)

    def _verdict(self, decisive: Judged | None) -> tuple[Verdict, Remedy]:
        if decisive is None:
            return Verdict.ACCEPT, Remedy.NONE
        if decisive.remedy in (Remedy.DARKER, Remedy.BRIGHTER):
            # Exposure is locked for the whole scan: it can be changed only while there is no photo.
            return (Verdict.RETAKE, decisive.remedy) if self._references.is_empty else (Verdict.ASK, Remedy.NONE)
        return (Verdict.RETAKE, decisive.remedy) if decisive.remedy is not Remedy.NONE else (Verdict.ASK, Remedy.NONE)


def _is_whole(testimony: Testimony) -> bool:
    return testimony.knows_object and testimony.seen is not None and testimony.seen.whole


def _width_px(testimony: Testimony) -> float:
    if testimony.edges.width_px is not None:
        return testimony.edges.width_px
    return testimony.print.width_px if testimony.print is not None else 12.0


def _in_short(judged: list[Judged]) -> str:
    """Return what a good photo's line in the log says of its sharpness."""
    sharp = [each.finding.says for each in judged if each.finding.aspect in (Aspect.PRINT, Aspect.SHARPNESS)]
    return "; ".join(sharp[:1]) or "no edges to measure"
