"""Silhouettes of an object before a dark or plain background, told from the photo's own border."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Photo
from offload.engines.turntable.mask_shape import Mask, closed, large_parts, opened, without_blind_holes

Grey = NDArray[np.float32]

BORDER_SHARE = 0.025
INLIER_SIGMAS = 4.0
LEAST_LEVELS = 10.0
NOISE_MARGIN = 1.4
"""The threshold over what nearly all of the background stays below."""
OTSU_SHARES = (0.33, 0.6)
"""The threshold lies between these shares of what divides background and object best (Otsu): a fold of the cloth
behind is brighter than its border, a shadow on the object darker than its middle."""
BRIDGE_SHARE = 0.03
SMALL_HOLE_SHARE = 0.003


@dataclass(frozen=True)
class PlainBackground:
    """Colours that vary evenly across the picture, as the border shows them."""

    slope: NDArray[np.float64]
    """(3, 3): constant, per column and per row (both -1 to 1) for each channel."""
    noise: float
    """What nearly all of the border stays below, in levels from that."""


def plain_silhouette(photo: Photo) -> Mask:
    """Return (H, W), 1 on the object. The object may touch the border, but most of the border is background."""
    height, width = photo.shape[:2]
    smooth = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.8), np.float32)
    background = _from_border(smooth)
    expected = _terms(height, width).reshape(-1, 3) @ background.slope
    distance = np.abs(smooth - expected.reshape(height, width, 3)).max(axis=2).astype(np.float32)
    differs = distance > _threshold(distance, background.noise)
    bridge = max(3, 2 * round(BRIDGE_SHARE * width / 2) + 1)
    mask = large_parts(closed(opened(differs.astype(np.uint8), 3), bridge), 0.02)
    return without_blind_holes(mask, ~differs, SMALL_HOLE_SHARE * height * width)


def _from_border(smooth: Grey) -> PlainBackground:
    """Fit the border evenly, leaving out again and again what stands off it: the object may reach the border."""
    height, width = smooth.shape[:2]
    wide = max(2, round(BORDER_SHARE * width))
    border = np.ones((height, width), bool)
    border[wide:-wide, wide:-wide] = False
    colours, terms = smooth[border].astype(np.float64), _terms(height, width)[border]
    start = np.median(colours, axis=0)
    inlier = np.abs(colours - start).max(axis=1) <= max(
        20.0, 2 * float(np.median(np.abs(colours - start).max(axis=1)))
    )
    slope = np.zeros((3, 3))
    slope[0] = start
    for _ in range(4):
        if inlier.sum() < 0.2 * len(inlier):
            break
        slope = np.linalg.lstsq(terms[inlier], colours[inlier], rcond=None)[0]
        off = np.abs(colours - terms @ slope).max(axis=1)
        sigma = max(1.5, 1.5 * float(np.median(off[inlier])))
        inlier = off < INLIER_SIGMAS * sigma
    off = np.abs(colours - terms @ slope).max(axis=1)
    return PlainBackground(slope, float(np.percentile(off[inlier], 99)) if inlier.any() else LEAST_LEVELS)


def _threshold(distance: Grey, noise: float) -> float:
    """Above the background's noise, and well below the midpoint of background and object."""
    between, _ = cv2.threshold(
        np.clip(distance, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    low, high = (share * float(between) for share in OTSU_SHARES)
    return max(LEAST_LEVELS, min(max(NOISE_MARGIN * noise, low), high))


def _terms(height: int, width: int) -> NDArray[np.float64]:
    """(H, W, 3): 1, column and row from -1 to 1."""
    columns, rows = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return np.stack([np.ones_like(columns), columns, rows], axis=-1)
