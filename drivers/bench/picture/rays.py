"""Where every pixel looks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.scene import SceneCamera
from drivers.bench.wobble import STEADY, Wobble

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CameraPose:
    """The fixed camera: a world point X is at `R @ X + t` in the camera's frame (OpenCV, z forward)."""

    R: Matrix
    t: Matrix

    @property
    def centre_mm(self) -> Matrix:
        """The lens's centre in the world."""
        return np.asarray(-self.R.T @ self.t)


def camera_pose(camera: SceneCamera) -> CameraPose:
    """Return the pose that looks at the axis, `target_height_mm` above the platter, from the negative y side."""
    elevation = np.deg2rad(camera.elevation_deg)
    target = np.array([0.0, 0.0, camera.target_height_mm])
    centre = target + camera.distance_mm * np.array([0.0, -np.cos(elevation), np.sin(elevation)])
    forward = (target - centre) / camera.distance_mm
    right = np.array([1.0, 0.0, 0.0])
    R = np.stack([right, np.cross(forward, right), forward])
    return CameraPose(R, -R @ centre)


def turn_about_z(angle_deg: float) -> Matrix:
    """Return the rotation (3, 3) of the platter, counter-clockwise seen from above."""
    cosine, sine = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def platter_turn(angle_deg: float, wobble: Wobble = STEADY, slid_deg: float = 0.0) -> Matrix:
    """Return the rotation (3, 3) of what stands on a platter at this angle, and has slid around on it by another."""
    turn = turn_about_z(angle_deg + slid_deg)
    return turn if wobble.tilt_deg == 0 else np.asarray(wobble.matrix(angle_deg) @ turn)


def slopes(camera: SceneCamera, width_px: int, height_px: int, offset_px: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Return (H, W, 2): x/z and y/z in the camera's frame seen `offset_px` from each pixel's centre."""
    x, y = np.meshgrid(
        np.arange(width_px, dtype=np.float32) + offset_px[0], np.arange(height_px, dtype=np.float32) + offset_px[1]
    )
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 12, 1e-9)
    points = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    undistorted = cv2.undistortPointsIter(
        points,
        camera.matrix_px(width_px, height_px),
        np.array(camera.distortion),
        np.eye(3),
        np.eye(3),
        stop,
    )
    return np.asarray(undistorted, dtype=np.float32).reshape(height_px, width_px, 2)


def directions(slope: Floats, pose: CameraPose) -> Floats:
    """Return world directions (..., 3) whose component along the optical axis is 1: ray length is depth."""
    return turned(slope, pose.R[:2], pose.R[2])


def turned(vectors: Floats, matrix: Matrix, shift: Matrix | None = None) -> Floats:
    """Return `vectors @ matrix + shift` for many short vectors (..., k) at once.

    OpenCV does this twenty times faster than a matrix product whose inner size is 3.
    """
    affine = matrix.T if shift is None else np.column_stack([matrix.T, shift])
    flat = np.ascontiguousarray(vectors).reshape(-1, 1, vectors.shape[-1])
    if not len(flat):
        return np.zeros((*vectors.shape[:-1], matrix.shape[1]), np.float32)
    result = np.asarray(cv2.transform(flat, affine.astype(np.float64)), dtype=np.float32)
    return result.reshape(*vectors.shape[:-1], matrix.shape[1])
