"""The box of voxels that holds the object."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.views import Floats

Field = NDArray[np.float32]
"""(x, y, z) values, positive outside the object, in the poses' unit."""


@dataclass(frozen=True)
class Grid:
    """Voxel (i, j, k) has its centre at `origin + voxel * (i, j, k)`."""

    origin: Floats
    voxel: float
    shape: tuple[int, int, int]

    @classmethod
    def between(cls, low: Floats, high: Floats, voxel: float) -> "Grid":
        """Cover the box with whole voxels."""
        counts = np.ceil((high - low) / voxel - 1e-9).astype(int) + 1
        return cls(np.asarray(low, np.float64), voxel, (int(counts[0]), int(counts[1]), int(counts[2])))

    def sample(self, field: Field, points: Floats) -> NDArray[np.float32]:
        """Interpolate `field` linearly at points (n, 3); beyond the box, the nearest voxel on its side counts."""
        position = (points - self.origin) / self.voxel
        position = np.clip(position, 0, np.asarray(self.shape) - 1.001)
        base = position.astype(np.int64)
        part = (position - base).astype(np.float32)
        values = np.zeros(len(points), np.float32)
        for corner in np.ndindex(2, 2, 2):
            weights = np.prod(np.where(corner, part, 1 - part), axis=1)
            x, y, z = (base + corner).T
            values += weights * field[x, y, z]
        return values
