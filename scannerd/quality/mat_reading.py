"""The mat's corners in one photo: found in the small companion, measured in the photo itself.

Whoever needs the mat reads it here: the platter's angle, the mask, the sharpness of printed edges.
"""

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.picture import Plane
from offload.wire.bundle import MatSpec
from scannerd.quality.look import MatReading

LEAST_CORNERS = 8
"""Fewer may be a chance likeness, and fix no plane."""
LEAST_WIDTH_PX = 600
"""A companion narrower than this shows markers too small to be read: the photo itself is read then."""
THRESHOLD_WINDOW_PX = 13
"""Of the adaptive threshold that finds markers; one window where OpenCV tries three, in a third of the time."""
ASTRAY_SHARE = 0.004
"""Of the photo's width: an uncorrected lens bends the mat's plane by less, a wrong marker shifts corners by more."""
REFINED_WITHIN = 0.12
"""Half a window of the corner's refinement, as a share of a square's side in the photo: no other edge is in it."""


class MatReader:
    """Reads one printed mat. Not safe for two threads at once."""

    def __init__(self, mat: MatSpec) -> None:
        self.mat = mat
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, mat.dictionary))
        size = (mat.columns, mat.rows)
        self._board = cv2.aruco.CharucoBoard(size, mat.square_mm, mat.marker_mm, dictionary)
        quick = cv2.aruco.DetectorParameters()
        quick.adaptiveThreshWinSizeMin = quick.adaptiveThreshWinSizeMax = THRESHOLD_WINDOW_PX
        charuco = cv2.aruco.CharucoParameters()
        self._quick = cv2.aruco.CharucoDetector(self._board, charuco, quick)
        self._thorough = cv2.aruco.CharucoDetector(self._board)
        trusting = cv2.aruco.CharucoParameters()
        trusting.checkMarkers = False
        self._forgiving = cv2.aruco.CharucoDetector(self._board, trusting)

    @cached_property
    def corners_mm(self) -> NDArray[np.float64]:
        """(n, 2): every inner corner in the mat frame, by its number."""
        on_board = np.asarray(self._board.getChessboardCorners(), np.float64)
        half = np.array([self.mat.width_mm, self.mat.height_mm]) / 2
        return np.asarray((on_board[:, :2] - half) * [1.0, -1.0])

    def picture(self, pixels_per_mm: float) -> Plane:
        """Return the chequered area from above as grey levels, its first row at the mat's +y edge, no margin."""
        size = (round(self.mat.width_mm * pixels_per_mm), round(self.mat.height_mm * pixels_per_mm))
        return np.asarray(self._board.generateImage(size, marginSize=0, borderBits=1), np.uint8)

    def read(self, photo: Plane, small: Plane) -> MatReading | None:
        """Return the corners seen in the photo's brightness (h, w); None where there are too few of them."""
        looked_at = small if small.shape[1] >= LEAST_WIDTH_PX else photo
        scale = photo.shape[1] / looked_at.shape[1]
        for detector in (self._quick, self._thorough):
            pixels, numbers, _, _ = detector.detectBoard(looked_at)
            if numbers is not None and len(numbers) >= LEAST_CORNERS:
                at = (np.asarray(pixels, np.float64).reshape(-1, 2) + 0.5) * scale - 0.5
                seen = np.asarray(numbers, np.int64).ravel()
                return MatReading(seen, self._refined(photo, seen, at) if scale > 1 else at)
        return self._read_in_spite_of_likenesses(photo)

    def _read_in_spite_of_likenesses(self, photo: Plane) -> MatReading | None:
        """Something on the object looks like a marker: OpenCV then finds no corner at all, unless it is told to.

        What the likeness leads astray does not lie in the mat's plane with the others.
        """
        pixels, numbers, _, _ = self._forgiving.detectBoard(photo)
        if numbers is None or len(numbers) < LEAST_CORNERS:
            return None
        at, seen = np.asarray(pixels, np.float64).reshape(-1, 2), np.asarray(numbers, np.int64).ravel()
        _, fits = cv2.findHomography(self.corners_mm[seen], at, cv2.RANSAC, ASTRAY_SHARE * photo.shape[1])
        if fits is None or int(fits.sum()) < LEAST_CORNERS:
            return None
        kept = np.ravel(fits).astype(bool)
        return MatReading(seen[kept], at[kept])

    def _refined(self, photo: Plane, numbers: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure corners again where they are, one window around each; what runs away stays where it was found."""
        window = max(2, round(REFINED_WITHIN * smallest_square_px(self.mat, numbers, at)))
        stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 12, 0.02)
        start = at.astype(np.float32).reshape(-1, 1, 2)
        found = np.asarray(cv2.cornerSubPix(photo, start.copy(), (window, window), (-1, -1), stop), np.float64)
        found = found.reshape(-1, 2)
        near = np.abs(found - at).max(axis=1) <= window
        return np.where(near[:, None], found, at)


def smallest_square_px(mat: MatSpec, numbers: NDArray[np.int64], at: NDArray[np.float64]) -> float:
    """Return the shortest side of the squares between corners seen: all but a tenth are longer."""
    sides = square_sides(mat, numbers)
    if not len(sides):
        return 8.0
    lengths = np.linalg.norm(at[sides[:, 0]] - at[sides[:, 1]], axis=1)
    return float(np.quantile(lengths, 0.1))


def square_sides(mat: MatSpec, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (n, 2): places in `numbers` of corners that are neighbours on the mat: a printed edge joins them."""
    across = mat.columns - 1
    place = np.full(across * (mat.rows - 1), -1, np.int64)
    place[numbers] = np.arange(len(numbers))
    grid = place.reshape(mat.rows - 1, across)
    pairs = [(grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])]
    joined = np.concatenate([np.stack([one.ravel(), other.ravel()], axis=1) for one, other in pairs])
    return np.asarray(joined[(joined >= 0).all(axis=1)])
