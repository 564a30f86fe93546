"""Where a camera stands, seen from the mat."""

from dataclasses import dataclass

import numpy as np

from offload.geometry.lens import Floats


@dataclass(frozen=True)
class Pose:
    """Camera from mat: a point X of the mat is at R X + t_mm."""

    R: Floats
    """(3, 3)."""
    t_mm: Floats
    """(3,)."""

    @property
    def centre_mm(self) -> Floats:
        """(3,): where the camera stands, in the mat's frame."""
        return -self.R.T @ self.t_mm

    def apply(self, points_mm: Floats) -> Floats:
        """Return points (n, 3) of the mat's frame in the camera's."""
        return np.asarray(points_mm @ self.R.T + self.t_mm)
