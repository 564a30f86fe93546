"""The mat's corners in one photo: found in the small companion, measured in the photo itself.

Whoever needs the mat reads it here: the platter's angle, the mask, the sharpness of printed edges.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.picture import Plane
from offload.geometry.mat_board import LEAST_CORNERS, MatBoard
from offload.wire.bundle import MatSpec
from scannerd.quality.look import MatReading

LEAST_WIDTH_PX = 600
"""A companion narrower than this shows markers too small to be read: the photo itself is read then."""
THRESHOLD_WINDOW_PX = 13
"""Of the adaptive threshold that finds markers; one window where OpenCV tries three, in a third of the time."""
REFINED_WITHIN = 0.12
"""Half a window of the corner's refinement, as a share of a square's side in the photo: no other edge is in it."""


class MatReader(MatBoard):
    """Reads one printed mat. Not safe for two threads at once."""

    def __init__(self, mat: MatSpec) -> None:
        super().__init__(mat)
        quick = cv2.aruco.DetectorParameters()
        quick.adaptiveThreshWinSizeMin = quick.adaptiveThreshWinSizeMax = THRESHOLD_WINDOW_PX
        self._quick = cv2.aruco.CharucoDetector(self.board, cv2.aruco.CharucoParameters(), quick)
        self._thorough = cv2.aruco.CharucoDetector(self.board)

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
        found = self.in_spite_of_likenesses(photo)
        return MatReading(*found) if found is not None else None

    def _refined(self, photo: Plane, numbers: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure corners again where they are, one window around each; what runs away stays where it was found."""
        window = max(2, round(REFINED_WITHIN * smallest_square_px(self.spec, numbers, at)))
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
