"""How far the mat has turned from photo to photo, and how high the camera stood, where nobody wrote it down."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from offload.geometry.mat_board import Floats, Grey, MatBoard

LEAST_CORNERS = 12
LEAST_SPREAD_SQUARES = 0.75
"""Standard deviation across the corners' narrower direction: a single row fixes no plane."""
RING_GAP_DEG = 5.0
"""Between the heights of two turns; one turn's photos agree far better."""


@dataclass(frozen=True)
class MatPose:
    """Camera from mat, roughly: with a guessed lens."""

    R: Floats
    t_mm: Floats

    @property
    def elevation_deg(self) -> float:
        """Of the camera above the mat's plane, seen from its middle."""
        centre = -self.R.T @ self.t_mm
        return math.degrees(math.atan2(centre[2], math.hypot(centre[0], centre[1])))

    def turned_deg(self, other: "MatPose") -> float:
        """Return how far the mat has turned about its normal from here to the other photo, -180 to 180."""
        turn = self.R.T @ other.R
        return math.degrees(math.atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))


@dataclass(frozen=True)
class Placed:
    """Where one photo stands among the others."""

    ring: int
    """Which height, the lowest being 0."""
    angle_deg: float


class MatReader:
    """Finds one mat in photos. Not safe for two threads at once."""

    def __init__(self, board: MatBoard) -> None:
        self._board = board
        self._detector = cv2.aruco.CharucoDetector(board.board)

    def pose(self, grey: Grey, focal_px: float) -> MatPose | None:
        """Return the mat's pose in a photo (H, W); None where too little of it shows."""
        pixels, numbers, _, _ = self._detector.detectBoard(grey)
        if numbers is None or len(numbers) < LEAST_CORNERS:
            found = self._board.in_spite_of_likenesses(grey)
            if found is None:
                return None
            numbers, pixels = found
        points = self._board.corners_mm[np.asarray(numbers, np.int64).ravel()]
        if len(points) < LEAST_CORNERS or _narrow(points) < LEAST_SPREAD_SQUARES * self._board.spec.square_mm:
            return None
        height, width = grey.shape
        K = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
        solid = np.column_stack([points, np.zeros(len(points))])
        seen = np.asarray(pixels, np.float64).reshape(-1, 2)
        count, rotations, translations, _ = cv2.solvePnPGeneric(solid, seen, K, None, flags=cv2.SOLVEPNP_IPPE)
        if not count:
            return None
        return MatPose(np.asarray(cv2.Rodrigues(rotations[0])[0], np.float64), np.ravel(translations[0]))


def _narrow(points_mm: Floats) -> float:
    spread = np.linalg.svd(points_mm - points_mm.mean(0), compute_uv=False)[-1]
    return float(spread / np.sqrt(len(points_mm)))


def place_photos(poses: list[MatPose | None]) -> list[Placed]:
    """Return height and angle of each photo, in the order they were taken; at least one must show the mat.

    One that does not is taken to stand between its neighbours.
    """
    seen = [number for number, pose in enumerate(poses) if pose is not None]
    known = [pose for pose in poses if pose is not None]
    rings = _rings([pose.elevation_deg for pose in known])
    turned = np.unwrap([known[0].turned_deg(pose) for pose in known], period=360)
    angles_deg = np.interp(np.arange(len(poses)), seen, turned)
    nearest = [int(np.argmin([abs(number - one) for one in seen])) for number in range(len(poses))]
    return [Placed(rings[nearest[number]], float(angles_deg[number] % 360)) for number in range(len(poses))]


def _rings(elevations_deg: list[float]) -> list[int]:
    order = np.argsort(elevations_deg)
    steps = np.diff(np.asarray(elevations_deg)[order]) > RING_GAP_DEG
    rings = np.empty(len(order), np.int64)
    rings[order] = np.concatenate([[0], np.cumsum(steps)])
    return [int(ring) for ring in rings]
