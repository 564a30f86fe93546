"""Masks as signed distances to their outlines, which a visual hull is carved from."""

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.views import Floats

Masks = NDArray[np.uint8]
Distances = NDArray[np.float32]

HALF = 2
"""Distances are smooth, so half the photo's resolution keeps a twentieth of a pixel."""


def halved(projections: Floats) -> Floats:
    """Return projections for pictures shrunk two to one by averaging, pixel (0, 0) then at (0.5, 0.5) of the old."""
    shrink = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    return np.asarray(shrink @ projections)


def signed_distances(masks: Masks) -> Distances:
    """Return (V, H/2, W/2) distances to the outline in full-size pixels, positive outside, on half-size pictures."""
    return np.stack([_signed_distance(mask) for mask in masks])


def _signed_distance(mask: Masks) -> Distances:
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The outline runs half a pixel from either side's outermost centres.
    signed = np.where(mask > 0, 0.5 - inside, outside - 0.5).astype(np.float32)
    height, width = mask.shape
    signed = signed[: height // HALF * HALF, : width // HALF * HALF]
    return np.asarray(cv2.resize(signed, (width // HALF, height // HALF), interpolation=cv2.INTER_AREA))
