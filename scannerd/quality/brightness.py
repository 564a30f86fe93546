"""How much light there was, compared in light and not in grey levels, which are bent (sRGB, IEC 61966-2-1)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.picture import Plane
from scannerd.quality.mat_evidence import PrintLevels

BURNT = 246.0
"""Paper from this level on does not tell how bright it is; ink does then."""
LOWEST, HIGHEST = 30, 236
"""Levels that tell of light: neither noise nor burnt."""
EVERY_NTH_PX = 4
LEAST_PIXELS = 300
AGREE_WITHIN, LEAST_AGREEING = 0.15, 0.6


def light_of(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return light from 0 to 1 for levels from 0 to 255."""
    share = np.asarray(levels, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def light_of_level(level: float) -> float:
    """Return the same for one level."""
    return float(light_of(np.array(level)))


_LIGHT = light_of(np.arange(256, dtype=np.float64))


def ratio_of_light(now: PrintLevels, before: PrintLevels) -> float:
    """Return the light on the mat as a factor of what it was."""
    if max(now.paper, before.paper) < BURNT:
        return _ratio(now.paper, before.paper)
    return _ratio(now.ink, before.ink)


def ratio_of_pictures(now: Plane, before: Plane, where: Plane) -> float | None:
    """Return the same from two pictures (h, w) of what stands still; None where too little of it tells."""
    step = (slice(None, None, EVERY_NTH_PX),) * 2
    new, old = now[step], before[step]
    tells = (where[step] > 0) & (old > LOWEST) & (old < HIGHEST) & (new < HIGHEST)
    if tells.sum() < LEAST_PIXELS:
        return None
    ratios = _LIGHT[new[tells]] / _LIGHT[old[tells]]
    ratio = float(np.median(ratios))
    # Light that changes does so everywhere; an object that turns does not.
    agree = float(np.mean(np.abs(ratios - ratio) < AGREE_WITHIN * ratio))
    return ratio if agree > LEAST_AGREEING and ratio > 0 else None


def relit(sight: Plane, factor: float) -> Plane:
    """Return (h, w, 3), brightness and two colours, as it would look in `factor` times the light."""
    light = np.clip(_LIGHT * factor, 0, 1)
    share = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    bright = np.rint(share * 255).astype(np.uint8)
    # Colours are differences of levels: in the middle of the scale they grow as the levels do.
    colour = np.clip(128 + (np.arange(256) - 128.0) * factor ** (1 / 2.4), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(sight, np.stack([bright, colour, colour], axis=-1)[None]), np.uint8)


def _ratio(now: float, before: float) -> float:
    light = light_of(np.array([now, before]))
    return float(light[0] / max(float(light[1]), 1e-4))
