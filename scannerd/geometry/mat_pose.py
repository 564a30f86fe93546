"""The camera from the mat's corners in one photo: cheap, and needed before a scan is complete."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import Floats, Lens
from offload.geometry.pose import Pose
from offload.wire.bundle import MatSpec

LEAST_CORNERS = 12
LEAST_SPREAD_SQUARES = 0.75
"""Standard deviation of the corners, in squares, across their narrower direction: a single row fixes no plane."""


@dataclass(frozen=True)
class MatCorners:
    """What one photo shows of the mat."""

    points_mm: Floats
    """(n, 2), mat frame."""
    pixels: Floats
    """(n, 2), of the photo as stored."""

    def __len__(self) -> int:
        return len(self.points_mm)

    def fixes_a_pose(self, square_mm: float) -> bool:
        """Whether there are enough of them, spread in two directions."""
        if len(self) < LEAST_CORNERS:
            return False
        spread = np.linalg.svd(self.points_mm - self.points_mm.mean(axis=0), compute_uv=False)[-1]
        return bool(spread / np.sqrt(len(self)) > LEAST_SPREAD_SQUARES * square_mm)

    def rms_px(self, pose: Pose, lens: Lens) -> float:
        """Return how far the corners are from where pose and lens put them."""
        points = np.column_stack([self.points_mm, np.zeros(len(self))])
        off = lens.project(pose.apply(points)) - self.pixels
        return float(np.sqrt(np.mean(np.sum(off**2, axis=1))))


def corners_of(mat: MatSpec, numbers: NDArray[np.int64], pixels: Floats) -> MatCorners:
    """Return corners, as OpenCV's ChArUco board numbers them, with their places on the mat.

    Numbers that the mat does not have are left out: they are another mat's.
    """
    columns = mat.columns - 1
    known = (numbers >= 0) & (numbers < columns * (mat.rows - 1))
    numbers, pixels = numbers[known], pixels[known]
    x = (numbers % columns + 1) * mat.square_mm - mat.width_mm / 2
    y = mat.height_mm / 2 - (numbers // columns + 1) * mat.square_mm
    return MatCorners(np.stack([x, y], axis=1).astype(np.float64), np.asarray(pixels, np.float64).reshape(-1, 2))


def camera_from_mat(corners: MatCorners, lens: Lens) -> Pose | None:
    """Return the pose that fits one photo's corners best; None when they contradict each other.

    A plane seen from afar fits two poses nearly as well (Collins and Bartoli, "Infinitesimal plane-based pose
    estimation", IJCV 109, 2014); the better one is refined.
    """
    points = np.column_stack([corners.points_mm, np.zeros(len(corners))])
    distortion = np.array(lens.distortion)
    try:
        found, rotations, translations, _ = cv2.solvePnPGeneric(
            points, corners.pixels, lens.K, distortion, flags=cv2.SOLVEPNP_IPPE
        )
        if not found:
            return None
        rotation, translation = cv2.solvePnPRefineLM(
            points, corners.pixels, lens.K, distortion, rotations[0].copy(), translations[0].copy()
        )
    except cv2.error:
        return None
    pose = Pose(np.asarray(cv2.Rodrigues(rotation)[0], np.float64), np.asarray(translation, np.float64).ravel())
    sound = bool(np.all(np.isfinite(pose.R)) and np.all(np.isfinite(pose.t_mm)))
    # Mixed-up corners may fit a camera that looks at the mat from below, or has it behind itself.
    return pose if sound and pose.t_mm[2] > 0 and pose.centre_mm[2] > 0 else None
