"""The ChArUco mat: its board, its look from above, and its corners in a photo."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import MatSpec

Floats = NDArray[np.float64]

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


class Mat:
    """One printed mat."""

    def __init__(self, spec: MatSpec) -> None:
        self.spec = spec
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, spec.dictionary))
        self._board = cv2.aruco.CharucoBoard((spec.columns, spec.rows), spec.square_mm, spec.marker_mm, dictionary)

    @cached_property
    def corners_mm(self) -> Floats:
        """(n, 2): every inner corner in the mat's frame, by its number."""
        board = np.asarray(self._board.getChessboardCorners(), np.float64)
        half = np.array([self.spec.width_mm, self.spec.height_mm]) / 2
        return np.asarray((board[:, :2] - half) * [1.0, -1.0])

    @cached_property
    def _detector(self) -> Any:
        return cv2.aruco.CharucoDetector(self._board)

    def detect(self, grey: NDArray[np.uint8]) -> MatObservation:
        """Find the corners in one photo (H, W); not safe for two threads on the same Mat."""
        pixels, ids, _, _ = self._detector.detectBoard(grey)
        if pixels is None or ids is None or len(ids) == 0:
            return NOTHING_SEEN
        numbers = np.asarray(ids, np.int64).ravel()
        points = self.corners_mm[numbers]
        return MatObservation(points, np.asarray(pixels, np.float64).reshape(-1, 2), numbers, self._usable(points))

    def _usable(self, points_mm: Floats) -> bool:
        if len(points_mm) < MIN_CORNERS:
            return False
        narrow_mm = np.linalg.svd(points_mm - points_mm.mean(0), compute_uv=False)[-1] / np.sqrt(len(points_mm))
        return bool(narrow_mm > MIN_SPREAD_SQUARES * self.spec.square_mm)

    def picture(self, pixels_per_mm: float) -> NDArray[np.uint8]:
        """Return the mat from above as grey levels, +y up, without a margin."""
        size = (round(self.spec.width_mm * pixels_per_mm), round(self.spec.height_mm * pixels_per_mm))
        return np.asarray(self._board.generateImage(size, marginSize=0, borderBits=1), np.uint8)

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
