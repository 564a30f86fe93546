"""All depths in one field: a truncated signed distance, to which the hull gives way wherever photos speak."""

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from offload.engines.turntable.grid import Field, Grid
from offload.engines.turntable.hull import Hull
from offload.engines.turntable.jit import kernel
from offload.engines.turntable.sweep import DepthMaps, Maps

TRUNCATION_VOXELS = 4.0
SMOOTHING_VOXELS = 0.7
BEYOND_TRUNCATION = 1.0
"""How much a view that sees far past a voxel counts, against one that sees a surface near it: as much. With less, two
views that erred alike left warts on stalks before a plate that eight others saw behind them."""


def fuse_depths(
    hull: Hull, hull_weights: Field, maps: DepthMaps, weights: Maps, floor: float | None
) -> tuple[Field, Field]:
    """Return the fused field on the hull's grid and how much the photos said at each voxel (sum of weights).

    `hull_weights` says for every voxel what the hull counts against the photos. The hull bounds the object from
    outside: the field is nowhere more inside than the hull's.
    """
    grid = hull.grid
    field, support = _fuse(
        hull.field,
        maps.depth,
        maps.cosine,
        weights,
        maps.projections.astype(np.float32),
        grid.origin.astype(np.float32),
        np.float32(grid.voxel),
        np.float32(TRUNCATION_VOXELS * grid.voxel),
        hull_weights,
        np.float32(BEYOND_TRUNCATION),
    )
    field = gaussian_filter(field, SMOOTHING_VOXELS)
    if floor is not None:
        _close_at(field, grid, floor)
    return field, support


def _close_at(field: Field, grid: Grid, floor: float) -> None:
    heights = grid.origin[2] + grid.voxel * np.arange(grid.shape[2])
    np.maximum(field, (floor - heights).astype(np.float32), out=field)


@kernel()
def _fuse(
    hull: Field,
    depth: Maps,
    cosine: Maps,
    weights: Maps,
    projections: NDArray[np.float32],
    origin: NDArray[np.float32],
    voxel: np.float32,
    truncation: np.float32,
    hull_weights: Field,
    beyond: np.float32,
) -> tuple[Field, Field]:
    views, rows, columns = depth.shape
    field, support = np.empty_like(hull), np.zeros_like(hull)
    for i in numba.prange(hull.shape[0]):
        for j in range(hull.shape[1]):
            for k in range(hull.shape[2]):
                outside = hull[i, j, k]
                if outside > np.float32(1.5) * voxel:
                    field[i, j, k] = min(outside, truncation)
                    continue
                x = origin[0] + voxel * np.float32(i)
                y = origin[1] + voxel * np.float32(j)
                z = origin[2] + voxel * np.float32(k)
                said, total = np.float32(0), np.float32(0)
                for view in range(views):
                    p = projections[view]
                    away = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
                    u = int((p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / away + np.float32(0.5))
                    v = int((p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / away + np.float32(0.5))
                    if u < 0 or v < 0 or u >= columns or v >= rows:
                        continue
                    weight = weights[view, v, u]
                    if weight <= 0:
                        continue
                    gap = (depth[view, v, u] - away) * cosine[view, v, u]
                    if gap < -truncation:
                        continue
                    if gap > truncation:
                        gap = truncation
                        weight *= beyond
                    said += weight * gap
                    total += weight
                prior = max(-truncation, min(truncation, outside))
                hull_weight = hull_weights[i, j, k]
                value = (said + hull_weight * prior) / (total + hull_weight)
                field[i, j, k] = max(value, min(outside, truncation))
                support[i, j, k] = total
    return field, support
