"""The printed mat as OpenCV's ChArUco board: where its corners lie, how it looks from above."""

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import MatSpec

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]
Numbers = NDArray[np.int64]

LEAST_CORNERS = 8
"""Fewer may be a chance likeness, and fix no plane."""
ASTRAY_SHARE = 0.004
"""Of the photo's width: an uncorrected lens bends the mat's plane by less, a wrong marker shifts corners by more."""


class MatBoard:
    """One printed mat. Its detectors are not safe for two threads at once."""

    def __init__(self, spec: MatSpec) -> None:
        self.spec = spec
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, spec.dictionary))
        self.board = cv2.aruco.CharucoBoard((spec.columns, spec.rows), spec.square_mm, spec.marker_mm, dictionary)
        trusting = cv2.aruco.CharucoParameters()
        trusting.checkMarkers = False
        self._forgiving = cv2.aruco.CharucoDetector(self.board, trusting)

    @cached_property
    def corners_mm(self) -> Floats:
        """(n, 2): every inner corner in the mat frame, by its number."""
        on_board = np.asarray(self.board.getChessboardCorners(), np.float64)
        half = np.array([self.spec.width_mm, self.spec.height_mm]) / 2
        return np.asarray((on_board[:, :2] - half) * [1.0, -1.0])

    def picture(self, pixels_per_mm: float) -> Grey:
        """Return the chequered area from above as grey levels, its first row at the mat's +y edge, no margin."""
        size = (round(self.spec.width_mm * pixels_per_mm), round(self.spec.height_mm * pixels_per_mm))
        return np.asarray(self.board.generateImage(size, marginSize=0, borderBits=1), np.uint8)

    def in_spite_of_likenesses(self, photo: Grey) -> tuple[Numbers, Floats] | None:
        """Return numbers (n,) and pixels (n, 2) of corners in (h, w); None where there are too few.

        Something on the object looks like a marker: OpenCV then finds no corner at all, unless it is told to. What
        the likeness leads astray does not lie in the mat's plane with the others.
        """
        pixels, numbers, _, _ = self._forgiving.detectBoard(photo)
        if numbers is None or len(numbers) < LEAST_CORNERS:
            return None
        at, seen = np.asarray(pixels, np.float64).reshape(-1, 2), np.asarray(numbers, np.int64).ravel()
        _, fits = cv2.findHomography(self.corners_mm[seen], at, cv2.RANSAC, ASTRAY_SHARE * photo.shape[1])
        if fits is None or int(fits.sum()) < LEAST_CORNERS:
            return None
        kept = np.ravel(fits).astype(bool)
        return seen[kept], at[kept]
