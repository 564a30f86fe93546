"""How much light a picture wants: as much as leaves its highlights whole."""

import math

import numpy as np
from numpy.typing import NDArray

from drivers.picture import Planes
from drivers.protocols import Window

GLINTS = 0.005
"""This share of the window may burn out: reflections of the lamps themselves."""
HIGHLIGHT_LEVEL = 230
HIGHLIGHT_TOLERANCE_LEVELS = 6
BURNT_LEVEL = 250
"""How much brighter than this the light is nobody can say."""
LARGEST_STEP = 3.0


def exposure_factor(small: Planes, window: Window) -> float:
    """Return by how much more light the window's highlights come to rest; 1 where they are well.

    Levels are taken for sRGB's; a camera's tone curve is steeper, which costs one more step.
    """
    level = highlight_level(small, window)
    if abs(level - HIGHLIGHT_LEVEL) <= HIGHLIGHT_TOLERANCE_LEVELS:
        return 1.0
    if level >= BURNT_LEVEL:
        return 1 / 2
    factor = _linear(HIGHLIGHT_LEVEL) / max(_linear(level), 1e-4)
    return min(max(factor, 1 / LARGEST_STEP), LARGEST_STEP)


def highlight_level(small: Planes, window: Window) -> float:
    """Return the level, 0 to 255, that only glints exceed in the strongest channel."""
    strongest = _cut_out(small.rgb(), window).max(axis=2)
    return float(np.quantile(strongest, 1 - GLINTS))


def _cut_out(pixels: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    top, left = math.floor(window.top * height), math.floor(window.left * width)
    bottom, right = math.ceil((window.top + window.height) * height), math.ceil((window.left + window.width) * width)
    return pixels[top : max(bottom, top + 1), left : max(right, left + 1)]


def _linear(level: float) -> float:
    """sRGB's curve, IEC 61966-2-1."""
    share = level / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
