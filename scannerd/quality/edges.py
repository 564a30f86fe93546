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
LARGEST_WINDOW_PX = 1600
DRAWN = 0.12
"""Of all pixels, the steepest, are drawn for people to look at."""
DRAWN_COLOUR_RGB = (0, 255, 140)


def middle_of(pixels: NDArray[np.uint8], fraction: float = 0.6) -> NDArray[np.uint8]:
    """Return the middle of (height, width, channels), where the object is; a view, not a copy."""
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - fraction) / 2), round(width * (1 - fraction) / 2)
    return pixels[top : height - top, left : width - left]


def edge_width_px(window: NDArray[np.uint8]) -> float:
    """Return σ of the edges in (height, width, channels), in its pixels: 0.3 razor-sharp, 12 nothing to see."""
    green = _steepness_input(window)
    fine, coarse = _steepness(green, FINE_PX), _steepness(green, COARSE_PX)
    limit = np.quantile(coarse[::2, ::2], 1 - STRONGEST)
    # The law holds on an edge's ridge only.
    ridge = coarse >= RIDGE * np.asarray(cv2.dilate(coarse, np.ones((3, 3), np.uint8)))
    edges = ridge & (coarse >= max(float(limit), LEAST_STEEPNESS))
    if not edges.any():
        return WIDEST_PX
    return _width_from_ratio(float(np.median(fine[edges] / coarse[edges])))


def sharpness_of(pixels: NDArray[np.uint8]) -> float:
    """Return 1 / edge width of the photo's middle, per pixel of the whole photo: larger is sharper."""
    window = middle_of(pixels)
    reduction: float = max(1.0, window.shape[1] / LARGEST_WINDOW_PX)
    if reduction > 1:
        size = round(window.shape[1] / reduction), round(window.shape[0] / reduction)
        shrunk = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
        window = np.asarray(shrunk, np.uint8).reshape(size[1], size[0], -1)
    return 1 / (edge_width_px(window) * reduction)


def draw_edges(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB with the edges that tell sharpness drawn over it."""
    coarse = _steepness(_steepness_input(pixels), COARSE_PX / 2)
    limit = max(float(np.quantile(coarse, 1 - DRAWN)), LEAST_STEEPNESS)
    ridge = coarse >= 0.9 * np.asarray(cv2.dilate(coarse, np.ones((3, 3), np.uint8)))
    drawn = pixels.copy()
    drawn[ridge & (coarse >= limit)] = DRAWN_COLOUR_RGB
    return drawn


def _steepness_input(window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of three channels green is the one that was interpolated least: half of a sensor's pixels are green."""
    return window[:, :, min(1, window.shape[2] - 1)].astype(np.float32)


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
