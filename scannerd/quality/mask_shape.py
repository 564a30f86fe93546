"""From pixels that differ to a silhouette with an inside and an outside."""

import cv2
import numpy as np

from drivers.picture import Plane
from scannerd.quality.flags import Flags, both, closed, either, inverse, none_like, opened, without

ASIDE, ABOVE, ABOVE_AT_FIRST = 0.15, 0.5, 1.2
"""How far the object may reach beyond what surely is object, in shares of that part's width and height."""
LEAST_PART = 0.01
"""Parts smaller than this share of the largest are noise."""


def shaped(differs: Flags, faint: Flags, behind_seen: Flags, square_px: float) -> Flags:
    """Return one silhouette.

    It grows into faint differences beside clear ones. Gaps are bridged: everywhere those of chance likeness, and as
    wide as a square where nothing behind is positively seen (a white object hides on white paper). A hole stays open
    only where mat or background is seen through it.
    """
    small, wide = _odd(square_px / 3), _odd(square_px * 1.1)
    core = large_parts(closed(opened(differs, 2), small))
    reach = _odd(square_px * 0.8)
    near = np.asarray(cv2.dilate(core, np.ones((reach, reach), np.uint8)), np.uint8)
    grown = either(core, opened(both(without(faint, behind_seen), near), 3))
    mask = large_parts(closed(grown, small))
    mask = either(mask, without(closed(mask, wide), behind_seen))
    return large_parts(opened(_without_blind_holes(mask, behind_seen, 0.5 * square_px**2), 3))


def flooded(sight: Plane, mask: Flags, unsure: Flags, *, whole: bool) -> Flags:
    """Divide what could be object or background between both, along the edges of the picture (watershed).

    `sight` is (h, w, 3). The object reaches further beyond what is sure before the `whole` background is known.
    """
    if not cv2.countNonZero(mask):
        return mask
    main = large_parts(mask, least=1.0)
    unsure = both(unsure, _around(main, ABOVE if whole else ABOVE_AT_FIRST))
    markers = np.where(mask > 0, 1, 2).astype(np.int32)
    markers[unsure > 0] = 0
    x, _, width, _ = cv2.boundingRect(main)
    # Right above the object the border may cut it off; once the room is known, that shows by differences.
    above = (markers[:2],) if whole else (markers[:2, :x], markers[:2, x + width :])
    for border in (*above, markers[:, :2], markers[:, -2:]):
        border[border == 0] = 2
    cv2.watershed(sight, markers)
    # Watershed's own lines (-1) go to the object: a leak of a pixel is better than a bite.
    taken = np.where((markers == 1) | (markers == -1), 255, 0).astype(np.uint8)
    return large_parts(either(mask, both(opened(taken, 5), unsure)))


def large_parts(mask: Flags, least: float = LEAST_PART) -> Flags:
    """Return the mask without parts that have less than this share of the largest one's area."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return mask
    areas = np.asarray(facts[:, cv2.CC_STAT_AREA]).copy()
    areas[0] = 0
    kept = np.where(areas >= least * areas.max(), 255, 0).astype(np.uint8)
    return np.asarray(kept[np.asarray(labels)], np.uint8)


def _without_blind_holes(mask: Flags, behind_seen: Flags, square_px2: float) -> Flags:
    """Fill holes through which nothing behind is seen, and those too small to tell."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inverse(mask), connectivity=4)
    if count <= 2:
        return mask
    labels = np.asarray(labels)
    seen = np.bincount(labels[behind_seen > 0], minlength=count)
    left, top, width, height, area = np.asarray(facts).T
    outside = (left == 0) | (top == 0) | (left + width == mask.shape[1]) | (top + height == mask.shape[0])
    filled = ~outside & ((seen < 0.2 * area) | ((area < 0.1 * square_px2) & (seen < 0.5 * area)))
    filled[0] = False
    return either(mask, np.where(filled, 255, 0).astype(np.uint8)[labels])


def _around(sure: Flags, above_share: float) -> Flags:
    """Return where the rest of the object may be."""
    area = none_like(sure)
    x, y, width, height = cv2.boundingRect(sure)
    aside, above = round(ASIDE * width) + 4, round(above_share * height) + 4
    area[max(0, y - above) : y + height + 4, max(0, x - aside) : x + width + aside] = 255
    return area


def _odd(length_px: float) -> int:
    return max(3, 2 * round(length_px / 2) + 1)
