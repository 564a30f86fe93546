"""The object's shape as its outlines leave it: voxels that hardly any photo sees beside the object."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scannerd.coverage.sighting import Mask, Points, Sighting

SIDE = 64
"""Voxels along each edge of the box."""
FORGIVEN = 2
"""So many photos must see past a voxel before it is gone: one mask may be wrong."""
FEW = 24
"""Of fewer photos every one counts."""
MARGIN = 3
"""Voxels kept free around the object when the box is drawn closer."""

Grid = NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A cube of voxels; `low_mm` is its lowest corner."""

    low_mm: tuple[float, float, float]
    voxel_mm: float

    def centres(self) -> Points:
        """Return the middles of all voxels, (SIDE³, 3), x slowest."""
        steps = (np.arange(SIDE, dtype=np.float32) + 0.5) * np.float32(self.voxel_mm)
        grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
        return np.asarray(grid + np.array(self.low_mm, np.float32), np.float32)


class VoxelHull:
    """Voxels and how many photos see past them. Memory is the box's, however many photos there are."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.photos = 0
        self._centres = box.centres()
        self._past = np.zeros(SIDE**3, np.uint8)

    def carve(self, sighting: Sighting) -> int:
        """Let one photo's mask look past voxels; return how many it was asked about, which is what it costs."""
        if sighting.mask is None:
            return 0
        left = np.flatnonzero(self._past < FORGIVEN)
        pixels, _ = sighting.pixels(self._centres if len(left) == len(self._past) else self._centres[left])
        height, width = sighting.mask.shape
        x, y = np.rint(pixels[:, 0]).astype(np.int32), np.rint(pixels[:, 1]).astype(np.int32)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        # An object that is whole in the photo is nowhere beside it.
        past = np.full(len(left), not _touches_border(sighting.mask))
        past[inside] = sighting.mask[y[inside], x[inside]] < 128
        self._past[left[past]] += 1
        self.photos += 1
        return len(left)

    def occupied(self) -> Grid:
        """Return what is left, (SIDE, SIDE, SIDE), axes x, y, z."""
        needed = FORGIVEN if self.photos >= FEW else 1
        return (self._past < needed).reshape(SIDE, SIDE, SIDE)

    def closer_box(self) -> Box | None:
        """Return the smallest box around what is left; None when nothing is."""
        left = np.argwhere(self.occupied())
        if not len(left):
            return None
        low, high = left.min(axis=0), left.max(axis=0) + 1
        voxel_mm = float((high - low).max()) * self.box.voxel_mm / (SIDE - 2 * MARGIN)
        middle = np.array(self.box.low_mm) + (low + high) / 2 * self.box.voxel_mm
        corner = middle - SIDE / 2 * voxel_mm
        # The object stands on the mat: its floor is a boundary of voxels.
        bottom = self.box.low_mm[2] + float(low[2]) * self.box.voxel_mm
        return Box((float(corner[0]), float(corner[1]), bottom), voxel_mm)


def _touches_border(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


@dataclass(frozen=True)
class Skin:
    """The hull's surface in small pieces."""

    points_mm: Points
    """(n, 3)."""
    normals: Points
    """(n, 3), outwards."""
    areas: Points
    """(n,), shares of the whole: they add up to 1."""
    voxel_mm: float

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def middle_mm(self) -> NDArray[np.float64]:
        """(3,): of the box around it."""
        return np.asarray((self.points_mm.min(axis=0) + self.points_mm.max(axis=0)) / 2, np.float64)


def skin_of(occupied: Grid, box: Box) -> Skin | None:
    """Return the surface; None where there is none.

    A staircase of faces is larger than the slope it stands for, by the sum of the normal's components: each face
    counts as much as it is seen along the normal.
    """
    solid = np.pad(occupied, 1)
    exposed = np.zeros((*occupied.shape, 3), np.uint8)
    for axis in range(3):
        for way in (0, 2):
            beside = [slice(1, -1)] * 3
            beside[axis] = slice(way, way + SIDE)
            exposed[..., axis] += occupied & ~solid[tuple(beside)]
    places = np.argwhere(exposed.any(axis=-1))
    if not len(places):
        return None
    normals = _normals(occupied, places)
    areas = (exposed[tuple(places.T)] * np.abs(normals)).sum(axis=1)
    points = np.array(box.low_mm, np.float32) + (places + 0.5) * np.float32(box.voxel_mm)
    points = points + normals * np.float32(box.voxel_mm / 2)
    return Skin(np.asarray(points, np.float32), normals, np.asarray(areas / areas.sum(), np.float32), box.voxel_mm)


def _normals(occupied: Grid, places: NDArray[np.int64]) -> Points:
    """Downhill in the blurred hull."""
    soft = np.pad(occupied, 2).astype(np.float32)
    for _ in range(2):
        soft = np.asarray(cv2.blur(soft, (3, 3), borderType=cv2.BORDER_CONSTANT), np.float32)
        turned = np.ascontiguousarray(soft.transpose(2, 1, 0))
        across = np.asarray(cv2.blur(turned, (1, 3), borderType=cv2.BORDER_CONSTANT), np.float32)
        soft = np.ascontiguousarray(across.transpose(2, 1, 0))
    x, y, z = (places + 2).T
    slope = np.stack(
        [
            soft[x - 1, y, z] - soft[x + 1, y, z],
            soft[x, y - 1, z] - soft[x, y + 1, z],
            soft[x, y, z - 1] - soft[x, y, z + 1],
        ],
        axis=1,
    )
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    flat = length[:, 0] < 1e-6
    slope[flat] = (0, 0, 1)
    return np.asarray(slope / np.where(flat[:, None], 1, length), np.float32)
