"""Whether two photos were taken from one place: a mat that turned shows the same to a camera that did not move."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scannerd.quality.look import MatReading
from scannerd.quality.mat_view import PlaneFit

LEAST_CORNERS = 40
"""With fewer, nobody knows how the lens bends the picture."""
LEAST_COMMON = 12
MOVED = 0.008
"""Of half the mat's longer side: what a camera that stood elsewhere leaves, and noise does not by far."""


@dataclass(frozen=True)
class Stand:
    """Where the camera stood for one photo, as its mat tells."""

    fit: PlaneFit
    corners_px: NDArray[np.float32]
    """(n, 2): where the mat was read, in pixels of the sketch."""
    limit_mm: float

    @classmethod
    def of(cls, fit: PlaneFit, mat: MatReading, photo_width_px: int, half_side_mm: float) -> "Stand | None":
        """Return the stand; None where too little of the mat was read to tell it from another."""
        if len(mat.numbers) < LEAST_CORNERS:
            return None
        corners = (mat.pixels + 0.5) * (fit.size_px[0] / photo_width_px) - 0.5
        return cls(fit, corners.astype(np.float32), MOVED * half_side_mm)

    def out_of_place_mm(self, other: "Stand") -> float:
        """Return how far the mat's places of one photo lie from those of the other, root of the mean square.

        A mat that turned, about whatever axis, moved as a whole in its plane: what both photos show at the same
        pixels fits together by a turn and a shift (Kabsch 1976). What is left, the camera did: it moved, turned or
        zoomed. Only a camera pushed along the mat's plane looks like a mat that was pushed. 0 where the two have too
        few pixels in common; pictures are of one size.
        """
        common = self.corners_px[_within(self.corners_px, other.corners_px)]
        if len(common) < LEAST_COMMON:
            return 0.0
        here, there = (_centred(each.fit.places_mm(common.astype(np.float64))) for each in (self, other))
        rest = there - here @ _turn(here, there).T
        return float(np.sqrt(np.mean(np.sum(rest * rest, axis=1))))

    def is_that_of(self, other: "Stand") -> bool:
        """Whether the camera did not move between the two."""
        return self.out_of_place_mm(other) <= self.limit_mm


def _within(points: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    hull = cv2.convexHull(others)
    return np.array([cv2.pointPolygonTest(hull, (float(x), float(y)), measureDist=False) >= 0 for x, y in points])


def _centred(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places - places.mean(axis=0))


def _turn(places: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (2, 2) that takes centred places (n, 2) closest to where they are seen."""
    left, _, right = np.linalg.svd(seen.T @ places)
    mirror = np.diag([1.0, float(np.sign(np.linalg.det(left @ right)))])
    return np.asarray(left @ mirror @ right, np.float64)
