"""The visual hull: the largest shape that fits into every silhouette, carved from coarse to fine."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import BadInput
from offload.engines.turntable.grid import Field, Grid
from offload.engines.turntable.jit import kernel
from offload.engines.turntable.mesh import isosurface, largest_component
from offload.engines.turntable.silhouette import Distances, halved, signed_distances
from offload.engines.turntable.views import Floats, Mesh, Space, ViewSet

BAND_VOXELS = 4.0
"""Within this of the surface every voxel has its own distance; beyond, its block's."""
ROUGH_CELLS = 64
"""Cells along the longest edge of the box that is searched first."""
BITE_SHARE = 0.002
"""Of the volume: what one mask of a full ring may cut away alone before it is suspected."""
FULL_RING = 36
"""Views. With fewer, true outlines cut more alone, as the third power: at most 0.02 % of the volume was seen at 36,
0.35 % at 18 (the hole of a handle that two views see through), 1.5 % at 12, 4 % at 9."""
BITE_TIMES_MEDIAN = 6.0
"""And how many times the usual; few views cut much alone, rightly."""
FEW_BITING = 0.1
"""Share of the masks beyond which the others are suspected too."""
MOST_BITING = 0.4
DENSE = 24
"""Views from which on a third one comes nearly as close to every place as the first two."""
UNLIMITED = 1e6
MOST_ALONE = 1.0
"""In units: how much deeper than a third view one or two may cut. Small bites, too small to name, go no deeper."""
NOTHING_INSIDE = (
    "no place lies inside the silhouettes of all photos: check that the masks show the object, white on black, "
    "and that the poses belong to these photos"
)


@dataclass(frozen=True)
class Hull:
    """The carved box and its skin."""

    grid: Grid
    field: Field
    """Distance to the silhouettes' cones, positive outside, exact near the surface."""
    mesh: Mesh
    silhouettes: "Silhouettes"
    """Of the views that carved it."""
    tolerant: bool
    """Whether two views were overruled everywhere, so that the skin lies outside of what any outline says."""
    biting: tuple[str, ...]
    """Photos whose masks had lost a piece of the object, and were left out."""


@dataclass(frozen=True)
class Silhouettes:
    """Each view's signed distance to its outline, and the half-size camera that belongs to it."""

    distances: Distances
    projections: Floats
    focal_px: Floats
    """Of the full-size photo, in whose pixels the distances are."""
    centres: Floats
    """Of the cameras, (V, 3)."""

    def without(self, left_out: NDArray[np.bool_]) -> "Silhouettes":
        """Return the silhouettes of the other views."""
        if not left_out.any():
            return self
        kept = ~left_out
        return Silhouettes(self.distances[kept], self.projections[kept], self.focal_px[kept], self.centres[kept])


def carve_hull(views: ViewSet, space: Space) -> Hull:
    """Carve the hull of all masks but those that bite into what the others agree on.

    A mask may cut as deep as it likes where a third one comes close; alone or with one other it may cut only
    MOST_ALONE deeper than that. (Overruling the two strongest of 36 everywhere doubles the error that true masks
    leave.) Where many masks bite, such as a side in the shade, no mask is believed alone. Fewer
    than DENSE are all needed: where two see through a handle there is no third, so all but the biting are believed.
    Raises BadInput when no place is inside the silhouettes.
    """
    silhouettes = Silhouettes(
        signed_distances(views.masks), halved(views.projections), views.K[:, 0, 0], views.centres
    )
    rough = _rough_grid(views, space)
    biting = _biting_views(silhouettes, rough, 2.0 * space.unit_mm)
    dense = len(views) >= DENSE
    tolerant = dense and bool(biting.mean() > FEW_BITING)
    excess = (0.0 if tolerant else MOST_ALONE * space.unit_mm) if dense else UNLIMITED
    silhouettes = silhouettes.without(biting)
    grid = _fine_grid(silhouettes, rough, space, excess)
    field = _carve(silhouettes, grid, excess)
    if space.floor is not None:
        heights = grid.origin[2] + grid.voxel * np.arange(grid.shape[2])
        np.maximum(field, (space.floor - heights).astype(np.float32), out=field)
    names = tuple(views.names[view] for view in np.flatnonzero(biting))
    return Hull(grid, field, _skin(grid, field), silhouettes, tolerant, names)


def _skin(grid: Grid, field: Field) -> Mesh:
    try:
        return largest_component(isosurface(field, grid.origin, grid.voxel))
    except ValueError:
        raise BadInput(NOTHING_INSIDE) from None


def _carve(silhouettes: Silhouettes, grid: Grid, excess: float) -> Field:
    return _carve_blocks(
        silhouettes.distances,
        silhouettes.projections.astype(np.float32),
        silhouettes.focal_px.astype(np.float32),
        grid.origin.astype(np.float32),
        np.float32(grid.voxel),
        grid.shape,
        np.float32(excess),
        np.float32(BAND_VOXELS * grid.voxel),
    )


def _biting_views(silhouettes: Silhouettes, rough: Grid, slack: float) -> NDArray[np.bool_]:
    """Return (V,) which views cut away, alone or in pairs, much that lies well inside all the others' cones.

    A true outline takes thin slivers that hardly any other view would not have taken too; a mask that lost a piece
    of the object takes a whole prism. On two rendered scans no true mask had 0.05 % of the volume against it.
    """
    votes, volume = _count_lonely_cuts(
        silhouettes.distances,
        silhouettes.projections.astype(np.float32),
        silhouettes.focal_px.astype(np.float32),
        rough.origin.astype(np.float32),
        np.float32(rough.voxel),
        rough.shape,
        np.float32(slack),
    )
    share = BITE_SHARE * max(1.0, FULL_RING / len(votes)) ** 3
    biting = votes > max(share * float(volume), BITE_TIMES_MEDIAN * float(np.median(votes)))
    # When everybody bites nobody does: the poses are off, or the views too few to judge each other.
    return np.asarray(biting if biting.mean() < MOST_BITING else np.zeros(len(votes), bool))


def _rough_grid(views: ViewSet, space: Space) -> Grid:
    low, high = _rough_bounds(views)
    if space.low is not None:
        low = np.maximum(low, space.low)
    if space.high is not None:
        high = np.minimum(high, space.high)
    if space.floor is not None:
        low[2] = max(low[2], space.floor)
    if (high <= low).any():
        raise BadInput(f"the bounds {low.round(1)} to {high.round(1)} hold nothing that the photos look at")
    return Grid.between(low, high, float((high - low).max() / ROUGH_CELLS))


def _fine_grid(silhouettes: Silhouettes, rough: Grid, space: Space, excess: float) -> Grid:
    inside = np.argwhere(_carve(silhouettes, rough, excess) < 1.2 * rough.voxel)
    if not len(inside):
        raise BadInput(NOTHING_INSIDE)
    end = rough.origin + rough.voxel * (np.asarray(rough.shape) - 1)
    low = np.maximum(rough.origin, rough.origin + rough.voxel * (inside.min(axis=0) - 1))
    high = np.minimum(end, rough.origin + rough.voxel * (inside.max(axis=0) + 1))
    if space.floor is not None and low[2] < space.floor + 2 * space.voxel:
        # One layer of voxels below the floor closes the underside exactly on it.
        low[2] = space.floor - space.voxel
    return Grid.between(low, high, space.voxel)


def _rough_bounds(views: ViewSet) -> tuple[Floats, Floats]:
    """Return a box that surely holds what the masks show, around the point nearest to all lines of sight."""
    sight, reach_px = [], []
    for view, mask in enumerate(views.masks):
        rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
        if not len(rows):
            raise BadInput(f"{views.names[view]}: the mask is empty; the object was not found in this photo")
        x, y = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
        sight.append(views.R[view].T @ np.linalg.solve(views.K[view], np.array([x, y, 1.0])))
        reach_px.append(np.hypot(columns[-1] - columns[0], rows[-1] - rows[0]) / 2)
    directions = np.array(sight) / np.linalg.norm(sight, axis=1, keepdims=True)
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    centre = np.linalg.solve(across.sum(axis=0), np.einsum("vij,vj->i", across, views.centres))
    distance = np.linalg.norm(views.centres - centre, axis=1)
    # Generous, since a corner of the object may be nearer to the camera than its centre.
    radius = 1.3 * float(np.median(np.array(reach_px) * distance / views.K[:, 0, 0]))
    return centre - radius, centre + radius


@kernel()
def _carve_blocks(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    origin: NDArray[np.float32],
    voxel: np.float32,
    shape: tuple[int, int, int],
    excess: np.float32,
    band: np.float32,
) -> Field:
    columns, rows, layers = shape
    field = np.empty(shape, np.float32)
    blocks_x, blocks_y, blocks_z = (columns + 3) // 4, (rows + 3) // 4, (layers + 3) // 4
    # From a block's centre to its farthest voxel, and what the distance can change on the way.
    reach = np.float32(1.5 * 1.7321 * 1.05) * voxel + band
    for block in numba.prange(blocks_x * blocks_y):
        i0, j0 = (block // blocks_y) * 4, (block % blocks_y) * 4
        i1, j1 = min(i0 + 4, columns), min(j0 + 4, rows)
        for block_z in range(blocks_z):
            k0 = block_z * 4
            k1 = min(k0 + 4, layers)
            x = origin[0] + voxel * np.float32(i0 + 1.5)
            y = origin[1] + voxel * np.float32(j0 + 1.5)
            z = origin[2] + voxel * np.float32(k0 + 1.5)
            middle = _counting_distance(distances, projections, focal_px, x, y, z, reach, excess)
            if abs(middle) > reach:
                field[i0:i1, j0:j1, k0:k1] = middle
                continue
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        x = origin[0] + voxel * np.float32(i)
                        y = origin[1] + voxel * np.float32(j)
                        z = origin[2] + voxel * np.float32(k)
                        field[i, j, k] = _counting_distance(
                            distances, projections, focal_px, x, y, z, np.float32(4) * band, excess
                        )
    return field


@kernel()
def _count_lonely_cuts(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    origin: NDArray[np.float32],
    voxel: np.float32,
    shape: tuple[int, int, int],
    slack: np.float32,
) -> tuple[NDArray[np.int64], int]:
    """Count for each view the cells that it, or it and one other, removes although they lie inside all others."""
    votes = np.zeros((shape[0], distances.shape[0]), np.int64)
    volume = np.int64(0)
    for i in numba.prange(shape[0]):
        inside = np.int64(0)
        for j in range(shape[1]):
            for k in range(shape[2]):
                x = origin[0] + voxel * np.float32(i)
                y = origin[1] + voxel * np.float32(j)
                z = origin[2] + voxel * np.float32(k)
                first, second, third, one, two = _distances_at(
                    distances, projections, focal_px, x, y, z, np.float32(1e9), np.float32(0)
                )
                inside += third < 0
                if first > slack / 2 and second < -slack / 2:
                    votes[i, one] += 1
                elif second > slack and third < -slack:
                    votes[i, one] += 1
                    votes[i, two] += 1
        volume += inside
    return votes.sum(axis=0), int(volume)


@kernel(parallel=False)
def distances_at_view(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    view: int,
    x: np.float32,
    y: np.float32,
    z: np.float32,
) -> np.float32:
    """Return the distance of a point to one view's cone, positive outside; callable from kernels."""
    height, width = distances.shape[1:]
    p = projections[view]
    depth = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
    u = (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / depth
    v = (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / depth
    # A crop ends beyond the object: continue its edge's distance by the way to the edge.
    inside_u = min(max(u, np.float32(0)), np.float32(width - 1.001))
    inside_v = min(max(v, np.float32(0)), np.float32(height - 1.001))
    beyond = np.float32(2) * (abs(u - inside_u) + abs(v - inside_v))
    column, row = int(inside_u), int(inside_v)
    fu, fv = inside_u - np.float32(column), inside_v - np.float32(row)
    upper = distances[view, row, column] * (1 - fu) + distances[view, row, column + 1] * fu
    lower = distances[view, row + 1, column] * (1 - fu) + distances[view, row + 1, column + 1] * fu
    return np.float32((upper * (1 - fv) + lower * fv + beyond) * depth / focal_px[view])


@kernel(parallel=False)
def _counting_distance(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    x: np.float32,
    y: np.float32,
    z: np.float32,
    enough: np.float32,
    excess: np.float32,
) -> np.float32:
    first, _, third, _, _ = _distances_at(distances, projections, focal_px, x, y, z, enough, excess)
    return min(first, third + excess)


@kernel(parallel=False)
def _distances_at(
    distances: Distances,
    projections: NDArray[np.float32],
    focal_px: NDArray[np.float32],
    x: np.float32,
    y: np.float32,
    z: np.float32,
    enough: np.float32,
    excess: np.float32,
) -> tuple[np.float32, np.float32, np.float32, int, int]:
    """Return the three largest distances to a view's cone and whose the first two are; stops beyond `enough`."""
    views = distances.shape[0]
    lowest = np.float32(-1e6)
    first, second, third = lowest, lowest, lowest
    one, two = 0, 0
    for view in range(views):
        distance = distances_at_view(distances, projections, focal_px, view, x, y, z)
        if distance > first:
            first, second, third = distance, first, second
            one, two = view, one
        elif distance > second:
            second, third = distance, second
            two = view
        elif distance > third:
            third = distance
        if (min(first, third + excess)) > enough:
            break
    return first, second, third, one, two
