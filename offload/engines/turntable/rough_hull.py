"""Roughly where the object is: the box that its silhouettes leave, for crops and bounds."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import BadInput
from offload.engines.turntable.mask_shape import Mask

Floats = NDArray[np.float64]

GRID = 36
ROUNDS = 4
BLIND_VIEWS = 2
"""Views that may miss a part of the object."""

SUPPORT = 0.5
"""Share of all views that must show an object there; the others may not see the place at all."""


@dataclass(frozen=True)
class RoughHull:
    """Points that nearly all silhouettes agree on."""

    points: Floats
    """(n, 3), centres of occupied cells."""
    cell: Floats
    """(3,): size of a cell."""

    @property
    def low(self) -> Floats:
        """(3,)."""
        return np.asarray(self.points.min(axis=0) - self.cell)

    @property
    def high(self) -> Floats:
        """(3,)."""
        return np.asarray(self.points.max(axis=0) + self.cell)


def rough_hull(masks: list[Mask], K: Floats, R: Floats, t: Floats, low: Floats, high: Floats) -> RoughHull:
    """Look in the box [low, high] for what the silhouettes (V of (H, W)) leave, finer each round.

    A view that does not see a point says nothing about it. Raises BadInput when nothing is left.
    """
    box_low, box_high = low, high
    found: RoughHull | None = None
    for _ in range(ROUNDS):
        cell = (box_high - box_low) / GRID
        axes = [box_low[axis] + cell[axis] * (np.arange(GRID) + 0.5) for axis in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        inside = _agreed(masks, K, R, t, points, float(np.linalg.norm(cell)) / 2)
        if not inside.any():
            break
        found = RoughHull(points[inside], cell)
        box_low, box_high = np.maximum(found.low, low), np.minimum(found.high, high)
    if found is None:
        raise BadInput(
            "the silhouettes of the photos have no common space: the object moved against the mat or the poses, "
            "or the background could not be told from it"
        )
    return found


def _agreed(masks: list[Mask], K: Floats, R: Floats, t: Floats, points: Floats, reach: float) -> NDArray[np.bool_]:
    """(n,): whether at most BLIND_VIEWS of the views that see a point have no object within `reach` of it."""
    against = np.zeros(len(points), np.int32)
    seen_by = np.zeros(len(points), np.int32)
    for view, mask in enumerate(masks):
        seen = points @ (K[view] @ R[view]).T + K[view] @ t[view]
        depth = np.maximum(seen[:, 2], 1e-9)
        reach_px = float(np.median(K[view, 0, 0] * reach / depth))
        near = _grown(mask, reach_px)
        height, width = mask.shape
        x, y = np.round(seen[:, 0] / depth).astype(np.int64), np.round(seen[:, 1] / depth).astype(np.int64)
        visible = (seen[:, 2] > 0) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        seen_by += visible
        against[visible] += near[y[visible], x[visible]] == 0
    enough = seen_by - against >= max(3, SUPPORT * len(masks))
    return np.asarray((against <= BLIND_VIEWS) & enough)


def _grown(mask: Mask, reach_px: float) -> Mask:
    """Grow the silhouette; a box is round enough for a rough hull."""
    # Wider than the picture changes nothing; with nonsensical poses it would be without bound.
    size = 2 * min(int(np.ceil(reach_px)), max(mask.shape)) + 1
    return np.asarray(cv2.dilate(mask, np.ones((size, size), np.uint8)), np.uint8)
