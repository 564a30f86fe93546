"""The ChArUco mat's corners in a photo, and how its picture lies in its frame."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.geometry.mat_board import LEAST_CORNERS, Floats, MatBoard

MIN_CORNERS = 12
"""A photo with fewer corners does not get a pose of its own."""

MIN_SPREAD_SQUARES = 0.75
"""Standard deviation of the corners, in squares, across their narrower direction: a single row fixes no plane."""


@dataclass(frozen=True)
class MatObservation:
    """The corners of the mat that one photo shows."""

    points_mm: Floats
    """(n, 2), mat frame."""
    pixels: Floats
    """(n, 2), sub-pixel, in the photo as stored (distorted)."""
    ids: NDArray[np.int64]
    """(n,), ChArUco corner numbers."""
    usable: bool
    """Enough corners, and spread in two directions."""

    def __len__(self) -> int:
        return len(self.ids)


NOTHING_SEEN = MatObservation(np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64), usable=False)


class Mat(MatBoard):
    """One printed mat. Not safe for two threads at once."""

    @cached_property
    def _detector(self) -> Any:
        return cv2.aruco.CharucoDetector(self.board)

    def detect(self, grey: NDArray[np.uint8]) -> MatObservation:
        """Find the corners in one photo (H, W)."""
        pixels, ids, _, _ = self._detector.detectBoard(grey)
        if ids is None or len(ids) < LEAST_CORNERS:
            found = self.in_spite_of_likenesses(grey)
            if found is not None:
                return self._observation(*found)
        if ids is None or len(ids) == 0:
            return NOTHING_SEEN
        return self._observation(np.asarray(ids, np.int64).ravel(), np.asarray(pixels, np.float64).reshape(-1, 2))

    def _observation(self, numbers: NDArray[np.int64], pixels: Floats) -> MatObservation:
        points = self.corners_mm[numbers]
        return MatObservation(points, pixels, numbers, self._usable(points))

    def _usable(self, points_mm: Floats) -> bool:
        if len(points_mm) < MIN_CORNERS:
            return False
        narrow_mm = np.linalg.svd(points_mm - points_mm.mean(0), compute_uv=False)[-1] / np.sqrt(len(points_mm))
        return bool(narrow_mm > MIN_SPREAD_SQUARES * self.spec.square_mm)

    def from_picture(self, pixels_per_mm: float) -> Floats:
        """(3, 3): homography from pixels of `picture` (centres at whole numbers) to mat millimetres."""
        scale = 1 / pixels_per_mm
        half_pixel = 0.5 * scale
        return np.array(
            [
                [scale, 0, half_pixel - self.spec.width_mm / 2],
                [0, -scale, self.spec.height_mm / 2 - half_pixel],
                [0, 0, 1],
            ]
        )
