"""A pinhole camera with OpenCV's distortion, and how its pictures change with it."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import CameraModel, Intrinsics

Floats = NDArray[np.float64]

LENS_UNKNOWNS = 7
"""focal, centre x, centre y, k1, k2, p1, p2."""


@dataclass(frozen=True)
class Lens:
    """One camera for one size of photo; pixel (0, 0) is the centre of the top left pixel."""

    width_px: int
    height_px: int
    focal_px: float
    aspect: float
    """fy / fx."""
    centre_px: tuple[float, float]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3."""

    @classmethod
    def of(cls, known: Intrinsics) -> Self:
        """Return stored intrinsics as a lens."""
        return cls(
            known.width_px,
            known.height_px,
            known.fx_px,
            known.fy_px / known.fx_px,
            (known.cx_px, known.cy_px),
            known.distortion,
        )

    @classmethod
    def nominal(cls, camera: CameraModel, width_px: int, height_px: int) -> Self:
        """Return what the data sheet says: focal length, the middle of the photo, no distortion."""
        focal_px = camera.focal_length_mm / camera.pixel_pitch_um * 1000
        return cls(width_px, height_px, focal_px, 1.0, ((width_px - 1) / 2, (height_px - 1) / 2))

    def intrinsics(self) -> Intrinsics:
        """Return it as it travels."""
        return Intrinsics(
            width_px=self.width_px,
            height_px=self.height_px,
            fx_px=self.focal_px,
            fy_px=self.focal_px * self.aspect,
            cx_px=self.centre_px[0],
            cy_px=self.centre_px[1],
            distortion=self.distortion,
        )

    @property
    def K(self) -> Floats:  # noqa: N802 - the matrix' own name
        """(3, 3)."""
        cx, cy = self.centre_px
        return np.array([[self.focal_px, 0, cx], [0, self.focal_px * self.aspect, cy], [0, 0, 1.0]])

    def at_size(self, width_px: int, height_px: int) -> Self:
        """Return the lens of the same photo made smaller or larger; pixel centres are whole numbers in both."""
        x, y = width_px / self.width_px, height_px / self.height_px
        cx, cy = self.centre_px
        return replace(
            self,
            width_px=width_px,
            height_px=height_px,
            focal_px=self.focal_px * x,
            aspect=self.aspect * y / x,
            centre_px=((cx + 0.5) * x - 0.5, (cy + 0.5) * y - 0.5),
        )

    def moved(self, step: Floats) -> Self:
        """Return the lens after a step of its seven unknowns."""
        d_focal, d_cx, d_cy, *d_bend = (float(value) for value in step)
        k1, k2, p1, p2 = (old + new for old, new in zip(self.distortion[:4], d_bend, strict=True))
        return replace(
            self,
            focal_px=self.focal_px + d_focal,
            centre_px=(self.centre_px[0] + d_cx, self.centre_px[1] + d_cy),
            distortion=(k1, k2, p1, p2, self.distortion[4]),
        )

    def project(self, in_camera: Floats) -> Floats:
        """Return pixels (n, 2) of points (n, 3) in the camera's frame."""
        x, y = in_camera[:, 0] / in_camera[:, 2], in_camera[:, 1] / in_camera[:, 2]
        bent_x, bent_y = self._bent(x, y, x * x + y * y)
        return np.stack(
            [
                self.focal_px * bent_x + self.centre_px[0],
                self.focal_px * self.aspect * bent_y + self.centre_px[1],
            ],
            axis=1,
        )

    def _bent(self, x: Floats, y: Floats, r2: Floats) -> tuple[Floats, Floats]:
        k1, k2, p1, p2, k3 = self.distortion
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return (
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )

    def project_with_jacobian(self, in_camera: Floats) -> tuple[Floats, Floats, Floats]:
        """Return pixels (n, 2), then their derivatives by the points (n, 2, 3) and by the unknowns (n, 2, 7)."""
        k1, k2, p1, p2, k3 = self.distortion
        depth = in_camera[:, 2]
        x, y = in_camera[:, 0] / depth, in_camera[:, 1] / depth
        r2 = x * x + y * y
        bent = np.stack(self._bent(x, y, r2), axis=1)
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2 * (k1 + r2 * (2 * k2 + 3 * k3 * r2))
        across = x * y * slope + 2 * p1 * x + 2 * p2 * y
        by_x = np.stack([radial + x * x * slope + 2 * p1 * y + 6 * p2 * x, across], axis=1)
        by_y = np.stack([across, radial + y * y * slope + 6 * p1 * y + 2 * p2 * x], axis=1)
        focal = np.array([self.focal_px, self.focal_px * self.aspect])
        by_point = np.stack([by_x, by_y, -(by_x * x[:, None] + by_y * y[:, None])], axis=2)
        by_point *= (focal / depth[:, None])[:, :, None]
        by_lens = np.zeros((len(x), 2, LENS_UNKNOWNS))
        by_lens[:, :, 0] = bent * [1.0, self.aspect]
        by_lens[:, 0, 1] = by_lens[:, 1, 2] = 1
        ray = np.stack([x, y], axis=1)
        bends = [
            ray * r2[:, None],
            ray * (r2 * r2)[:, None],
            np.stack([2 * x * y, r2 + 2 * y * y], axis=1),
            np.stack([r2 + 2 * x * x, 2 * x * y], axis=1),
        ]
        by_lens[:, :, 3:] = np.stack(bends, axis=2) * focal[:, None]
        return bent * focal + np.array(self.centre_px), by_point, by_lens
