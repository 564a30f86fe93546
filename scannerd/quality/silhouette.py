"""Which pixels of the companion picture are the object.

On the mat: what does not look like the mat. Beside it: what looks neither like the table that turns with the mat nor
like the room that stands still, both as learnt from the scan's own photos. What was never seen to change could be
either; it is divided along the picture's edges. A mask that leaks is better than one that eats of the object.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane, Planes
from scannerd.quality.background import Background
from scannerd.quality.brightness import ratio_of_light, relit
from scannerd.quality.flags import Flags, both, either, inverse, more_than, none_like, without
from scannerd.quality.mask_shape import flooded, shaped
from scannerd.quality.mat_evidence import MatEvidence, PrintLevels, mat_evidence
from scannerd.quality.mat_view import MatView

RELIGHT = 0.03
"""Light that differs by more than this is made equal before pictures are compared."""
SHRINK = 2
"""Shapes are worked out in half the companion's size: a quarter of the work."""
RIM_PX = 7
SQUARES_ACROSS = 24
"""Of a mat that is not there: a measure for what is small in a picture."""


@dataclass(frozen=True)
class Seen:
    """The object in one companion picture."""

    mask: Flags
    """(h, w), 255 on the object."""
    sure: Flags
    """The part of it that was told by differences, not by division."""
    whole: bool
    """Enough was known of what lies beside the mat."""
    mat: MatEvidence | None
    light: float | None
    """Brightness against the photos that were learnt, as a factor of light; None while there are none."""


class Silhouette:
    """Learns one camera's view of one table."""

    def __init__(self) -> None:
        self._background = Background()
        self._print_levels: PrintLevels | None = None
        """Of the first photo that was learnt: what brightness is compared with."""

    def look(self, small: Planes, view: MatView | None) -> Seen | None:
        """Return the object; None while nobody can tell."""
        whole = self._background.is_known
        if view is None and not whole:
            return None
        sight = sight_of(small)
        evidence = mat_evidence(sight, view) if view is not None else None
        light = self._light(sight, evidence)
        if light is not None and abs(light - 1) > RELIGHT:
            sight = relit(sight, 1 / light)
        behind = self._background.behind(sight, view)
        beside = inverse(view.on_mat) if view is not None else inverse(none_like(sight))
        differs, faint = both(without(behind.judged, behind.same), _clear_of(view, beside)), none_like(sight)
        seen_behind = both(behind.proven, beside)
        if evidence is not None:
            differs, faint = either(differs, evidence.differs), evidence.faint
            seen_behind = either(seen_behind, evidence.seen)
        square_px = (view.square_px if view is not None else sight.shape[1] / SQUARES_ACROSS) / SHRINK
        sure = shaped(_shrunk(differs), _shrunk(faint), _shrunk(seen_behind), square_px)
        unsure = without(_shrunk(without(beside, behind.proven)), sure)
        size = (sure.shape[1], sure.shape[0])
        small_sight = np.asarray(cv2.resize(sight, size, interpolation=cv2.INTER_AREA), np.uint8)
        # Without a mat nothing holds what is unsure to the object: it would run out into a dark room.
        mask = flooded(small_sight, sure, unsure, whole=whole) if view is not None else sure
        return Seen(_grown(mask, sight), _grown(sure, sight), whole, evidence, light)

    def learn(self, small: Planes, view: MatView | None, seen: Seen | None) -> None:
        """Remember what lies behind the object in this picture, and what was `seen` in it."""
        sight = sight_of(small)
        if seen is not None and seen.light is not None and abs(seen.light - 1) > RELIGHT:
            sight = relit(sight, 1 / seen.light)
        self._background.learn(sight, view)
        if self._print_levels is None and seen is not None and seen.mat is not None:
            self._print_levels = seen.mat.print_levels

    def _light(self, sight: Plane, evidence: MatEvidence | None) -> float | None:
        """Paper tells best; without a mat, what stands still."""
        now = evidence.print_levels if evidence is not None else None
        if now is not None and self._print_levels is not None:
            return ratio_of_light(now, self._print_levels)
        return self._background.light(sight)


def _clear_of(view: MatView | None, beside: Flags) -> Flags:
    """Where the blurred rim of the print does not reach: it is neither mat nor what lies around it."""
    if view is None:
        return beside
    return inverse(np.asarray(cv2.dilate(view.on_mat, np.ones((RIM_PX, RIM_PX), np.uint8)), np.uint8))


def sight_of(small: Planes) -> Plane:
    """Return (h, w, 3): brightness, blue and red of a companion, colours as large as brightness, noise smoothed."""
    size = (small.width_px, small.height_px)
    blue, red = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (small.u, small.v))
    return np.asarray(cv2.blur(cv2.merge([small.y, blue, red]), (3, 3)), np.uint8)


def _shrunk(flags: Flags) -> Flags:
    size = (flags.shape[1] // SHRINK, flags.shape[0] // SHRINK)
    return more_than(np.asarray(cv2.resize(flags, size, interpolation=cv2.INTER_AREA), np.uint8), 127.0)


def _grown(mask: Flags, sight: Plane) -> Flags:
    size = (sight.shape[1], sight.shape[0])
    return more_than(np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.uint8), 127.0)
