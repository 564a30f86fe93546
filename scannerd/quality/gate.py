"""Accept a photo, take it again, or ask a person: always with the measured number and its limit."""

from collections.abc import Iterable

from drivers.protocols import Frame
from offload.wire.bundle import Place
from scannerd.config import QualitySection
from scannerd.quality.edges import sharpness_of
from scannerd.quality.exposure import clipping_of
from scannerd.quality.look import Look, Verdict

REFERENCE_PHOTOS = 5
"""So many of a scan's first photos say how sharp its photos are."""

SHARP_ENOUGH_PX = 0.8
"""Edges narrower than this lie between two pixels: small photos differ there by chance, not by blur."""


class Gate:
    """Judges the photos of one scan. Sharpness is compared with the scan's own photos, never with a fixed number."""

    def __init__(self, limits: QualitySection, sharpness_so_far: Iterable[float] = ()) -> None:
        self._limits = limits
        self._first = list(sharpness_so_far)[:REFERENCE_PHOTOS]
        self._max_white = limits.max_clipped_fraction
        self._max_black = limits.max_dark_fraction
        self._tolerates_exposure = False

    def take(self, limits: QualitySection) -> None:
        """Judge by other limits from now on; what a person has said about the light stays."""
        self._limits = limits
        if not self._tolerates_exposure:
            self._max_white, self._max_black = limits.max_clipped_fraction, limits.max_dark_fraction

    @property
    def reference(self) -> float | None:
        """The sharpness that this scan's photos have; None before the first."""
        if not self._first:
            return None
        # Of two the sharper, of five the third: one blurred photo at the start sets no standard.
        return sorted(self._first)[len(self._first) // 2]

    def judge(self, frame: Frame, place: Place) -> Look:
        """Judge a frame by what lies in its middle."""
        pixels = frame.photo.y[:, :, None]
        clipping, sharpness = clipping_of(pixels), sharpness_of(pixels)
        if clipping.white > self._max_white:
            reason = f"{clipping.white:.0%} of the middle is blown out, limit {self._max_white:.0%}"
            return Look(Verdict.ASK, f"{reason}; less light or a shorter [camera] exposure_us", sharpness)
        if clipping.black > self._max_black:
            reason = f"{clipping.black:.0%} of the middle is black, limit {self._max_black:.0%}"
            return Look(Verdict.ASK, f"{reason}; lens cap? more light or a longer [camera] exposure_us", sharpness)
        reference = self.reference
        if reference is None:
            return Look(Verdict.ACCEPT, f"edges {1 / sharpness:.1f} px wide, the first photo", sharpness)
        limit = min(reference * self._limits.min_relative_sharpness, 1 / SHARP_ENOUGH_PX)
        reason = f"edges {1 / sharpness:.1f} px wide, this scan's {1 / reference:.1f} px"
        if sharpness < limit:
            return Look(Verdict.RETAKE, f"{reason}, limit {1 / limit:.1f} px", sharpness)
        return Look(Verdict.ACCEPT, reason, sharpness)

    def learn(self, look: Look) -> None:
        """Count a photo that was kept."""
        if len(self._first) < REFERENCE_PHOTOS:
            self._first.append(look.sharpness)

    def tolerate_exposure(self) -> None:
        """A person looked at the light and wants it so: ask no more in this scan."""
        self._tolerates_exposure = True
        self._max_white = self._max_black = 1.0
