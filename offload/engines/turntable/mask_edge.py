"""Move a silhouette's edge to where the full photo shows it, a few pixels at most."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Flags, Photo
from offload.engines.turntable.mask_shape import Mask, disc, large_parts

Singles = NDArray[np.float32]

REACH_PX = 4
"""How far the edge may move."""
INSIDE_PX = 4
"""From the edge, where the object's own colour is taken."""
SPREAD_PX = 14.0
LEAST_CONTRAST = 24.0
"""Levels between object and what is behind, below which the photo does not tell where the edge is."""
LEAST_SPREADS = 2.0
"""Contrast over the spread of the object's own brightness there: a dark spot is not what lies behind."""
LEANING = 0.15
"""Towards the object: its edge is often in its own shade, and a bite is worse than a leak."""
TRUST = 0.75
"""Of the photo against the edge as it was."""


@dataclass(frozen=True)
class Behind:
    """What the photo would show without the object, in the reduced, undistorted picture."""

    picture: Photo
    """(H, W, 3)."""
    known: Flags
    """(H, W)."""


def snapped(mask: Mask, photo: Photo, behind: Photo, known: Flags) -> Mask:
    """Return the mask (H, W) with its edge where the photo is halfway from `behind` to the object beside it."""
    band = cv2.dilate(mask, disc(2 * REACH_PX + 1)) - cv2.erode(mask, disc(2 * REACH_PX + 1))
    own, spread, certain = _own_colour(mask, photo)
    seen = np.asarray(photo, np.float32) - behind
    across = own - behind
    contrast = np.einsum("yxc,yxc->yx", across, across)
    share = np.einsum("yxc,yxc->yx", seen, across) / np.maximum(contrast, 1.0)
    before = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), REACH_PX / 2)
    telling = certain & known & (contrast > np.maximum(LEAST_CONTRAST, LEAST_SPREADS * spread) ** 2)
    told = np.where(telling, np.clip(share + LEANING, -0.25, 1.25), before).astype(np.float32)
    soft = TRUST * cv2.GaussianBlur(told, (0, 0), 0.9) + (1 - TRUST) * before
    moved = np.where(band > 0, soft > 0.5, mask > 0).astype(np.uint8)
    return large_parts(moved, 0.01)


def _own_colour(mask: Mask, photo: Photo) -> tuple[Singles, Singles, Flags]:
    """The object's colour beside each pixel (H, W, 3), its spread (H, W), and where there is enough to tell."""
    inner = cv2.erode(mask, disc(2 * INSIDE_PX + 1))
    height, width = mask.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    weight = np.asarray(cv2.resize(inner.astype(np.float32), small, interpolation=cv2.INTER_AREA), np.float32)
    own = cv2.bitwise_and(photo, photo, mask=inner)
    total = cv2.resize(own, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = cv2.cvtColor(own, cv2.COLOR_BGR2GRAY).astype(np.float32)
    squares = cv2.resize(grey * grey, small, interpolation=cv2.INTER_AREA)
    sigma = SPREAD_PX / 4
    weight, total, squares = (
        np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), np.float32) for part in (weight, total, squares)
    )
    mean = total / np.maximum(weight, 1e-4)[..., None]
    brightness = cv2.cvtColor(mean, cv2.COLOR_BGR2GRAY)
    variance = squares / np.maximum(weight, 1e-4) - brightness * brightness
    spread = np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)

    def large(part: NDArray[np.floating]) -> Singles:
        return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    return large(mean), large(spread), large(weight) > 0.03
