"""Where the object must touch its hull, and how closely.

Every line of sight along an outline touches the object somewhere. Where such a line leaves the hull again after a
short way, the object is known to be there; where it runs along the hull's skin for long (the ridge that a ring of
views leaves on a flat top), it says little.
"""

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from offload.engines.turntable.grid import Field
from offload.engines.turntable.hull import Hull, distances_at_view
from offload.engines.turntable.jit import kernel
from offload.engines.turntable.silhouette import Distances
from offload.engines.turntable.views import Space

USUAL_RADIUS = 20.0
"""Of curvature, in millimetres on a 150 mm object."""
OUTLINE_ERROR = 0.2
"""In the same unit: what masks and poses leave uncertain about an outline."""
TOLERANT_ERROR = 1.5
"""And what a hull that overrules its tightest outlines leaves."""
LONGEST = 24
"""Voxels followed each way along a line of sight."""


def contact_sigma(hull: Hull, space: Space) -> NDArray[np.float32]:
    """Return for each vertex of the hull's mesh (n,) how far inside the object's surface may well be."""
    shell = max(space.unit_mm, hull.grid.voxel)
    lengths = _contact_lengths(
        hull.silhouettes.distances,
        hull.silhouettes.projections.astype(np.float32),
        hull.silhouettes.focal_px.astype(np.float32),
        hull.silhouettes.centres.astype(np.float32),
        hull.field,
        hull.grid.origin.astype(np.float32),
        np.float32(hull.grid.voxel),
        hull.mesh.vertices.astype(np.float32),
        np.float32(shell),
        LONGEST,
    )
    unit = space.unit_mm
    radius = USUAL_RADIUS * unit
    # A smooth body keeps within d of a line that touches it for 2 sqrt(2 R d). What is longer is slack in which the
    # touching place can lie; the skin between may sag by its square over 4 R (seen: 0.5 mm at 19 mm, 1 to 3 at 27).
    excess = np.maximum(lengths - 2 * np.sqrt(2 * radius * shell), 0)
    error = TOLERANT_ERROR if hull.tolerant else OUTLINE_ERROR
    sigma = error * unit + excess**2 / (4 * radius)
    if space.floor is not None:
        # The floor is as sure as an outline: the object stands on it, or there is nothing to see beneath.
        sigma[hull.mesh.vertices[:, 2] < space.floor + hull.grid.voxel] = OUTLINE_ERROR * unit
    return np.asarray(sigma, np.float32)


def spread_to_grid(hull: Hull, sigma: NDArray[np.float32], reach: float) -> Field:
    """Give each voxel within `reach` inside of the hull's skin its nearest vertex' sigma; elsewhere inf."""
    grid = hull.grid
    spread = np.full(grid.shape, np.inf, np.float32)
    near = np.argwhere((hull.field > -reach) & (hull.field < 2 * grid.voxel))
    tree = cKDTree(hull.mesh.vertices.astype(np.float32))
    _, nearest = tree.query((grid.origin + grid.voxel * near).astype(np.float32), workers=1)
    spread[tuple(near.T)] = sigma[nearest]
    return spread


@kernel()
def _contact_lengths(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    centres: NDArray[np.float32],
    field: Field,
    origin: NDArray[np.float32],
    voxel: np.float32,
    vertices: NDArray[np.float32],
    shell: np.float32,
    longest: int,
) -> NDArray[np.float32]:
    views = distances.shape[0]
    lengths = np.empty(vertices.shape[0], np.float32)
    slack = np.float32(0.35) * voxel
    for i in numba.prange(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        shortest = 2 * longest
        for view in range(views):
            if distances_at_view(distances, projections, focal_px, view, x, y, z) < -slack:
                continue
            a, b, c = x - centres[view, 0], y - centres[view, 1], z - centres[view, 2]
            scale = voxel / np.sqrt(a * a + b * b + c * c)
            a, b, c = a * scale, b * scale, c * scale
            way = 0
            for side in range(2):
                sign = np.float32(1 - 2 * side)
                for step in range(1, longest + 1):
                    u = (x + sign * step * a - origin[0]) / voxel + np.float32(0.5)
                    v = (y + sign * step * b - origin[1]) / voxel + np.float32(0.5)
                    w = (z + sign * step * c - origin[2]) / voxel + np.float32(0.5)
                    if u < 0 or v < 0 or w < 0:
                        break
                    iu, iv, iw = int(u), int(v), int(w)
                    if iu >= field.shape[0] or iv >= field.shape[1] or iw >= field.shape[2]:
                        break
                    if field[iu, iv, iw] > shell:
                        break
                    way += 1
            shortest = min(shortest, way)
        lengths[i] = shortest * voxel
    return lengths
