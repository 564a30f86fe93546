"""One photo as coverage needs it: where its camera stood, what it saw of the object, whether it was sharp."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import Lens
from offload.geometry.pose import Pose

Mask = NDArray[np.uint8]
Points = NDArray[np.float32]


@dataclass(frozen=True)
class Sighting:
    """A camera with what it saw; the mask is of any size, 255 on the object."""

    pose: Pose
    lens: Lens
    """For photos of the mask's size, or of any size where there is no mask."""
    mask: Mask | None
    sharp: bool

    def pixels(self, points_mm: Points) -> tuple[Points, Points]:
        """Return where points (n, 3) of the mat's frame appear, (n, 2), and how far away they are, (n,)."""
        if any(self.lens.distortion):
            in_camera = self.pose.apply(points_mm.astype(np.float64))
            in_camera[:, 2] = np.maximum(in_camera[:, 2], 1e-3)
            return self.lens.project(in_camera).astype(np.float32), in_camera[:, 2].astype(np.float32)
        K = self.lens.K
        seen = points_mm @ (K @ self.pose.R).T.astype(np.float32)
        seen += (K @ self.pose.t_mm).astype(np.float32)
        depth = np.maximum(seen[:, 2], np.float32(1e-3))
        seen = seen[:, :2]
        seen /= depth[:, None]
        return np.asarray(seen, np.float32), depth

    @property
    def elevation_deg(self) -> float:
        """How far the line of sight points down on the mat."""
        return float(np.rad2deg(np.arcsin(np.clip(-self.pose.R[2, 2], -1, 1))))


@dataclass(frozen=True)
class KeptSighting:
    """A sighting that is kept for later: its mask in one bit a pixel, for a scan keeps dozens of them."""

    without_mask: Sighting
    bits: bytes
    shape: tuple[int, int]
    """(height, width) of the mask."""

    @classmethod
    def of(cls, sighting: Sighting, mask: Mask) -> Self:
        """Pack what a sighting saw of the object; half an object is one."""
        height, width = mask.shape
        return cls(replace(sighting, mask=None), np.packbits(mask > 127).tobytes(), (height, width))

    @property
    def whole(self) -> Sighting:
        """With its mask, 0 or 255, unpacked anew each time."""
        height, width = self.shape
        on = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=height * width)
        return replace(self.without_mask, mask=np.asarray(on * 255, np.uint8).reshape(self.shape))
