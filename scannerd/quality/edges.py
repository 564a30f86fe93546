"""How wide edges are in a photo, whatever stands in it.

An edge blurred by σ that is blurred again by a known amount loses steepness by a factor that depends on σ alone,
neither on the edge's contrast nor on how many edges there are (Zhuo and Sim, "Defocus map estimation from a single
image", Pattern Recognition 44, 2011). So a plain object is not taken for a blurred one.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

FINE_PX, COARSE_PX = 1.0, 2.0
"""The two known blurs; the finer one keeps the sensor's noise out."""
STRONGEST = 0.02
"""Edges are the two hundredths of the window with the steepest brightness."""
RIDGE = 0.98
LEAST_STEEPNESS = 16.0
"""Half a grey level a pixel, in the units of Scharr's kernel, whose weights add up to 32 a pixel."""
WIDEST_PX = 12.0
"""Beyond this the two blurs cannot be told apart."""
NARROWEST_PX = 0.3
BORDER_PX = 3
DRAWN = 0.12
"""Of all pixels, the steepest, are drawn for people to look at."""
DRAWN_COLOUR_RGB = (0, 255, 140)


def middle_of(pixels: NDArray[np.uint8], fraction: float = 0.6) -> NDArray[np.uint8]:
    """Return the middle of (height, width, 3), where the object is; a view, not a copy."""
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - fraction) / 2), round(width * (1 - fraction) / 2)
    return pixels[top : height - top, left : width - left]


def edge_width_px(*windows: NDArray[np.uint8]) -> float:
    """Return σ of the edges in windows (height, width) or (height, width, 3), in their pixels.

    0.3 is razor-sharp; 12 means that there is nothing to see.
    """
    steep = [_fine_and_coarse(_steepness_input(window)) for window in windows]
    limit = np.quantile(np.concatenate([coarse[::2, ::2].ravel() for _, coarse in steep]), 1 - STRONGEST)
    ratios = [_ratios_on_ridges(fine, coarse, max(float(limit), LEAST_STEEPNESS)) for fine, coarse in steep]
    found = np.concatenate(ratios)
    return _width_from_ratio(float(np.median(found))) if len(found) else WIDEST_PX


def draw_edges(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB with the edges that tell sharpness drawn over it."""
    coarse = _steepness(_steepness_input(pixels), COARSE_PX / 2)
    limit = max(float(np.quantile(coarse, 1 - DRAWN)), LEAST_STEEPNESS)
    ridge = coarse >= 0.9 * np.asarray(cv2.dilate(coarse, np.ones((3, 3), np.uint8)))
    drawn = pixels.copy()
    drawn[ridge & (coarse >= limit)] = DRAWN_COLOUR_RGB
    return drawn


def _steepness_input(window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Green is half of a sensor's pixels, so it is the channel that was interpolated least."""
    return (window if window.ndim == 2 else window[:, :, 1]).astype(np.float32)


def _fine_and_coarse(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return steepness after either known blur, without the border, where both guess."""
    inner = (slice(BORDER_PX, -BORDER_PX),) * 2 if min(grey.shape) > 4 * BORDER_PX else (slice(None),) * 2
    return _steepness(grey, FINE_PX)[inner], _steepness(grey, COARSE_PX)[inner]


def _ratios_on_ridges(fine: NDArray[np.float32], coarse: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    """The law holds on an edge's ridge only."""
    ridge = coarse >= RIDGE * np.asarray(cv2.dilate(coarse, np.ones((3, 3), np.uint8)))
    edges = ridge & (coarse >= least)
    return np.asarray(fine[edges] / coarse[edges], np.float32)


def _steepness(grey: NDArray[np.float32], blur_px: float) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(grey, (0, 0), blur_px)
    across, down = cv2.Scharr(blurred, cv2.CV_32F, 1, 0), cv2.Scharr(blurred, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _width_from_ratio(ratio: float) -> float:
    """Solve ratio² = (σ² + coarse²) / (σ² + fine²) for σ."""
    if ratio <= 1:
        return WIDEST_PX
    variance_px2 = (COARSE_PX**2 - ratio**2 * FINE_PX**2) / (ratio**2 - 1)
    return min(max(math.sqrt(max(variance_px2, 0.0)), NARROWEST_PX), WIDEST_PX)
