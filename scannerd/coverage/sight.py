"""Which pieces of the hull's skin a camera sees: those that face it, with nothing of the hull before them."""

import numpy as np
from numpy.typing import NDArray

from scannerd.coverage.sighting import Points, Sighting
from scannerd.coverage.voxel_hull import Skin

LEAST_COSINE = 0.26
"""Of the angle between line of sight and normal: beyond 75° nothing can be compared between photos."""
MAP_SIDE = 128
"""Cells along each edge of the map of depths, which is laid over the hull only."""
CELL_VOXELS = 1.5
"""Edge of a cell, so that neighbouring pieces leave no holes between them."""


def sees(sighting: Sighting, skin: Skin) -> NDArray[np.bool_]:
    """(n,): whether each piece of the skin is seen."""
    towards = sighting.pose.centre_mm.astype(np.float32) - skin.points_mm
    cosine = np.einsum("ij,ij->i", towards, skin.normals) / np.linalg.norm(towards, axis=1)
    pixels, depth = sighting.pixels(skin.points_mm)
    size = np.array([sighting.lens.width_px, sighting.lens.height_px], np.float32)
    in_photo = np.all((pixels > -0.5) & (pixels < size - 0.5), axis=1)
    voxel_px = sighting.lens.focal_px * skin.voxel_mm / float(np.median(depth))
    # Across a cell a slanting skin recedes by the tangent of its slant.
    slack = skin.voxel_mm * (1 + CELL_VOXELS * np.sqrt(1 / np.maximum(cosine, LEAST_COSINE) ** 2 - 1))
    hidden = depth > _nearest(pixels, depth, CELL_VOXELS * voxel_px) + slack
    return np.asarray((cosine > LEAST_COSINE) & in_photo & ~hidden)


def _nearest(pixels: Points, depth: Points, cell_px: float) -> Points:
    """(n,): the least depth in the cell of each piece."""
    low = pixels.min(axis=0)
    cell_px = max(cell_px, float((pixels.max(axis=0) - low).max()) / (MAP_SIDE - 1))
    place = ((pixels - low) / np.float32(cell_px)).astype(np.int64)
    cell = place[:, 1] * MAP_SIDE + place[:, 0]
    # Written last, the nearest stays.
    far_first = np.argsort(-depth)
    nearest = np.empty(MAP_SIDE * MAP_SIDE, np.float32)
    nearest[cell[far_first]] = depth[far_first]
    return np.asarray(nearest[cell])
