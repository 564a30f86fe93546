"""Where the platter stands after a restart, read off the mat: an open-loop motor does not know, and must not guess.

Camera and axis have not moved since the scan's earlier photos, so both photos see the same plane. The homography of
the earlier photo takes the mat's corners in the new one into the mat's plane, and what is left is a rotation about
the axis. No calibration is needed. From another height the compass of `heading_turned_deg` has to do.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import MatSpec
from scannerd.quality.mat_reading import MatReader

LEAST_CORNERS = 12
LARGEST_RESIDUAL_MM = 2.0
"""Lens distortion leaves some tenths; more means that camera or mat were moved."""

CARRIED_DEG, LIFTED_DEG = 20.0, 3.0
"""From another height, counted steps are believed where the mat says nearly the same: a person who moved the camera
may have carried it round by so much, a lift does not."""

STEEP = 0.94
"""Sine of 70°: a platter seen from there is that much flatter than wide."""

Corners = tuple[NDArray[np.float64], NDArray[np.float64]]


class CannotLocate(RuntimeError):
    """The mat does not tell where the platter stands. The message says why."""


def mat_corners(grey: NDArray[np.uint8], mat: MatSpec) -> Corners:
    """Return (n, 2) pixels and (n, 2) millimetres in the mat frame of the inner corners seen. Raises CannotLocate."""
    reader = MatReader(mat)
    reading = reader.read(grey, grey)
    seen = 0 if reading is None else len(reading.numbers)
    if reading is None or seen < LEAST_CORNERS:
        raise CannotLocate(f"{seen} corners of the mat seen, {LEAST_CORNERS} needed")
    return reading.pixels, reader.corners_mm[reading.numbers]


def turned_deg(before: Corners, after: Corners) -> float:
    """Return how far the platter turned from one photo to the other, counter-clockwise, -180 to 180.

    Raises CannotLocate.
    """
    pixels_before, mat_before = before
    pixels_after, mat_after = after
    homography, _ = cv2.findHomography(pixels_before, mat_before, cv2.RANSAC, 2.0)
    if homography is None:
        raise CannotLocate("the mat's corners do not lie in a plane")
    seen = cv2.perspectiveTransform(pixels_after.reshape(-1, 1, 2), homography).reshape(-1, 2)
    angle_deg, residual_mm = _rotation(mat_after, np.asarray(seen, np.float64))
    if residual_mm > LARGEST_RESIDUAL_MM:
        raise CannotLocate(
            f"the mat's corners are {residual_mm:.1f} mm off, {LARGEST_RESIDUAL_MM} mm allowed; "
            "camera or mat was moved"
        )
    return angle_deg


def heading_turned_deg(before: Corners, after: Corners, size_px: tuple[int, int], focal_px: float) -> float:
    """Return how far the platter turned between photos from two heights, counter-clockwise, -180 to 180.

    What points to the right in the picture lies level in the room, however high the camera looks down from: it is a
    compass needle that raising the camera does not turn. A camera that was carried round the table by some degrees
    makes the answer wrong by as much. Raises CannotLocate.
    """
    turn_deg = _heading_deg(before, size_px, focal_px) - _heading_deg(after, size_px, focal_px)
    return (turn_deg + 180) % 360 - 180


def heading_limit_deg(*, lifted: bool) -> float:
    """Return how far count and compass may differ before the compass is believed."""
    return LIFTED_DEG if lifted else CARRIED_DEG


def _heading_deg(corners: Corners, size_px: tuple[int, int], focal_px: float) -> float:
    """Return where on the mat the picture's right points to, counter-clockwise from the mat's x."""
    pixels, in_mat = corners
    steep_deg = _heading_from_above_deg(pixels, in_mat)
    if steep_deg is not None:
        return steep_deg
    points = np.column_stack([in_mat, np.zeros(len(in_mat))])
    width, height = size_px
    K = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1.0]])
    found, rotation, _ = cv2.solvePnP(points, pixels, K, np.zeros(5), flags=cv2.SOLVEPNP_IPPE)
    if not found:
        raise CannotLocate("the mat's corners do not lie in a plane")
    right = np.asarray(cv2.Rodrigues(rotation)[0], np.float64)[0]
    return float(np.degrees(np.arctan2(right[1], right[0])))


def _heading_from_above_deg(pixels: NDArray[np.float64], in_mat: NDArray[np.float64]) -> float | None:
    """Return the heading where the camera looks down steeply, else None.

    From there nothing is foreshortened that would tell how the camera is tilted, and a fitted tilt means nothing; but
    what lies along a row of the picture lies along the picture's right in the room.
    """
    homography, _ = cv2.findHomography(in_mat, pixels, cv2.RANSAC, 3.0)
    if homography is None:
        raise CannotLocate("the mat's corners do not lie in a plane")
    across, down, depth = homography @ np.append(in_mat.mean(axis=0), 1.0)
    here = np.array([[across], [down]]) / depth
    jacobian = (homography[:2, :2] - here @ homography[2:, :2]) / depth
    stretch = np.linalg.svd(jacobian, compute_uv=False)
    if stretch[1] < STEEP * stretch[0]:
        return None
    right = np.linalg.solve(jacobian, np.array([1.0, 0.0]))
    return float(np.degrees(np.arctan2(right[1], right[0])))


def _rotation(points: NDArray[np.float64], turned: NDArray[np.float64]) -> tuple[float, float]:
    """Return the angle of the rigid motion from (n, 2) to (n, 2) that fits best, and the RMS that it leaves."""
    a, b = points - points.mean(axis=0), turned - turned.mean(axis=0)
    sine = float(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))
    cosine = float(np.sum(a * b))
    angle = np.arctan2(sine, cosine)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    residual = float(np.sqrt(np.mean(np.sum((a @ rotation.T - b) ** 2, axis=1))))
    return float(np.degrees(angle)), residual
