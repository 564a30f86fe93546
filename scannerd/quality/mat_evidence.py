"""Where the companion picture differs from the mat that lies there: object, or its shadow.

Ink keeps the same share of the paper's brightness under any light, so both tell of the light. What is darker and yet
shows the pattern is shadow; what is brighter, coloured or without the pattern is not the mat.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane
from scannerd.quality.flags import Flags, both
from scannerd.quality.mat_view import Floats, MatView

MAT_LEVELS = 26.0
"""Grey levels from the mat's own look at which a pixel is probably something else."""
COLOUR_LEVELS = 9.0
"""The same for blue and red: paper and ink are grey."""
MISFIT_SHARE = 0.14
"""Of the pattern's local steepness that half a pixel of misfit may cost."""
AGREES = 0.72
"""Correlation of a small window with the pattern from which on the mat is surely seen."""
WINDOW_PX = 9
LEAST_VARIANCE = 0.008
"""Of the print within a window, below which there is no pattern to agree with."""
BELIEF = 0.004
LEAST_SEEN_PX = 200
LEAST_PRINT_PX = 20
"""Of paper and of ink each, to tell its level."""


@dataclass(frozen=True)
class PrintLevels:
    """Grey levels of the mat's print where it is seen in full light."""

    paper: float
    ink: float


@dataclass(frozen=True)
class MatEvidence:
    """What the picture says of the mat, all (h, w), 255 or 0 outside of it."""

    differs: Flags
    faint: Flags
    """Also differences that count only beside a place that clearly differs."""
    seen: Flags
    """Surely the mat."""
    print_levels: PrintLevels | None
    """None where too little of paper or ink is surely seen: a guess serves for a mask, and says nothing of light."""


def mat_evidence(sight: Plane, view: MatView) -> MatEvidence:
    """Compare (h, w, 3), brightness and the two colours, with the mat."""
    window = _window(view.on_mat)
    bright = sight[window][..., 0].astype(np.float32)
    pattern, on_mat = view.print_share[window], view.on_mat[window]
    seen = both(_correlated(bright, pattern), on_mat)
    levels, told = _levels(bright, pattern, on_mat, seen)
    paper, black = levels.paper, levels.ink
    ink = float(np.clip(black / max(paper, 1.0), 0.03, 0.9))
    share = ink + (1 - ink) * pattern
    light = _light(bright, share, on_mat, seen, paper, view.square_px)
    beyond = bright - light * share
    misfit = _steepness(pattern) * (MISFIT_SHARE * (paper - black))
    allowed = (MAT_LEVELS + misfit).astype(np.float32)
    colour = _colour_beyond(sight[window], seen, pattern)
    shade = np.where(seen > 0, np.float32(1e9), allowed)
    strange = (beyond > allowed) | (beyond < -shade) | (colour > COLOUR_LEVELS)
    calm = cv2.blur(beyond, (3, 3))
    faint = (calm > 0.35 * allowed) | (calm < -0.7 * allowed) | (cv2.blur(colour, (3, 3)) > 0.6 * COLOUR_LEVELS)
    faint &= seen == 0
    whole = [np.zeros(view.on_mat.shape, np.uint8) for _ in range(3)]
    for picture, flags in zip(whole, (strange, strange | faint, seen > 0), strict=True):
        picture[window] = np.where(flags & (on_mat > 0), 255, 0)
    return MatEvidence(whole[0], whole[1], whole[2], levels if told else None)


def _window(on_mat: Flags) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(on_mat)
    return slice(y, y + height), slice(x, x + width)


def _correlated(bright: Floats, pattern: Floats) -> Flags:
    """Where small windows look like the pattern, and there is one: nothing else looks so."""

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, (WINDOW_PX, WINDOW_PX)), np.float32)

    mean_pattern, mean_bright = mean(pattern), mean(bright)
    spread_pattern = mean(pattern * pattern) - mean_pattern * mean_pattern
    spread_bright = mean(bright * bright) - mean_bright * mean_bright
    together = mean(pattern * bright) - mean_pattern * mean_bright
    agrees = (together > 0) & (together * together > AGREES**2 * spread_pattern * np.maximum(spread_bright, 4.0))
    agrees &= spread_pattern > LEAST_VARIANCE
    # A window at the object's edge may still agree by the half that lies behind it.
    return np.asarray(cv2.erode(agrees.astype(np.uint8) * 255, np.ones((3, 3), np.uint8)), np.uint8)


def _levels(bright: Floats, pattern: Floats, on_mat: Flags, seen: Flags) -> tuple[PrintLevels, bool]:
    """Return paper and ink where the pattern is seen, in full light, and whether they were truly seen there."""
    is_seen = cv2.countNonZero(seen) > LEAST_SEEN_PX
    where = seen if is_seen else on_mat
    white, black = bright[(where > 0) & (pattern > 0.97)], bright[(where > 0) & (pattern < 0.03)]
    paper = float(np.quantile(white, 0.7)) if white.size > LEAST_PRINT_PX else 200.0
    ink = float(np.quantile(black, 0.5)) if black.size > LEAST_PRINT_PX else 0.25 * paper
    told = is_seen and min(white.size, black.size) > LEAST_PRINT_PX
    return PrintLevels(paper, min(ink, 0.9 * paper)), told


def _light(bright: Floats, share: Floats, on_mat: Flags, seen: Flags, paper: float, square_px: float) -> Floats:
    """Brightness of paper as the light falls on each place: least squares of bright = light x share nearby."""
    height, width = bright.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    flagged = np.where(seen > 0, share, np.float32(0))
    weight = cv2.resize(flagged * share, small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(flagged * bright, small, interpolation=cv2.INTER_AREA)
    light = np.full((small[1], small[0]), paper, np.float32)
    # From afar to near: close to where the mat is seen, what it shows there is believed even in deep shadow.
    for squares in (1.5, 0.4):
        side = max(3, 2 * round(squares * square_px / 4) + 1)
        near = cv2.blur(weight, (side, side)), cv2.blur(total, (side, side))
        near = cv2.blur(near[0], (side, side)), cv2.blur(near[1], (side, side))
        light = (near[1] + BELIEF * light) / (near[0] + BELIEF)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _steepness(pattern: Floats) -> Floats:
    return np.asarray(cv2.morphologyEx(pattern, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.float32)


def _colour_beyond(sight: Plane, seen: Flags, pattern: Floats) -> Floats:
    """Return (h, w): how far blue and red are from the paper's own, whichever is further."""
    paper = (seen > 0) & (pattern > 0.9)
    colours = sight[..., 1:][paper]
    middle = np.median(colours[:: max(1, len(colours) // 2000)], axis=0) if len(colours) > 50 else (128, 128)
    away = np.asarray(cv2.absdiff(sight, np.array([0.0, *middle, 0.0], np.float64)), np.uint8)
    return np.asarray(cv2.max(away[..., 1], away[..., 2]), np.float32)
