"""Silhouettes as shapes: close gaps, fill holes, keep what is big enough to be the object."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]


def disc(diameter_px: int) -> Mask:
    """Return a round structuring element."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter_px, diameter_px)), np.uint8)


def closed(mask: Mask, diameter_px: int) -> Mask:
    """Bridge gaps narrower than the diameter; the picture's border does not count as object."""
    margin = diameter_px
    padded = cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    bridged = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc(diameter_px))
    return np.asarray(bridged[margin:-margin, margin:-margin], np.uint8)


def opened(mask: Mask, diameter_px: int) -> Mask:
    """Drop specks and hairs narrower than the diameter."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(diameter_px)), np.uint8)


def large_parts(mask: Mask, least_share: float) -> Mask:
    """Keep the largest part and every other of at least this share of its area."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= least_share * areas.max())[labels], np.uint8)


def without_blind_holes(
    mask: Mask, behind_seen: NDArray[np.bool_], small_px: float, least_share: float = 0.15
) -> Mask:
    """Fill holes smaller than `small_px`, and those that do not positively show what lies behind.

    `least_share` is the share of a hole's area on which it must be seen for the hole to stay open.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    if count <= 1:
        return mask
    seen = np.bincount(labels[behind_seen], minlength=count)
    hole = (seen < least_share * stats[:, cv2.CC_STAT_AREA]) | (stats[:, cv2.CC_STAT_AREA] < small_px)
    height, width = mask.shape
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    hole &= (left > 0) & (top > 0) & (right < width) & (bottom < height)
    hole[0] = False
    return np.asarray(mask | hole[labels], np.uint8)
