"""What the mat alone would look like in the companion picture, were nothing on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scannerd.quality.flags import Flags, both, looked_up, more_than, within
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

COARSE_PX = 16
"""Where the mat is seen changes so slowly that every sixteenth pixel is enough to know."""
BENDING_CORNERS = 40
"""So many corners also tell how the lens bends the picture."""
BENDING_ROUNDS = 2
MOST_BENDING = 0.15
MOST_SQUARED = 2.0
"""The corners of a picture of 4:3 are at 1.6."""
FAR_MM = 1e5
WITHIN_MM = 3.0
"""Corners that are further off than this are something else."""


@dataclass(frozen=True)
class MatView:
    """The mat in one companion picture."""

    places_mm: Floats
    """(h, w, 2): where on the mat's plane each pixel looks; means nothing above the horizon."""
    on_mat: Flags
    """(h, w): on the chequered area, a pixel within its edge."""
    print_share: Floats
    """(h, w): brightness of the print there, 0 black to 1 paper."""
    square_px: float
    """Side of a square in this picture, roughly."""
    half_side_mm: float
    """Half of the mat's longer side."""
    fit: "PlaneFit"

    def pixels_at(self, raster_px: int, reach_mm: float) -> Floats:
        """Return (raster, raster, 2): the pixel that shows each place of a square raster around the mat's centre.

        Its rows run from +reach to -reach, as `places_mm` has them.
        """
        coarse = _grid(raster_px, raster_px)
        mm = (coarse + 0.5) * (2 * reach_mm / raster_px) - reach_mm
        mm[..., 1] *= -1
        return _fine(self.fit.pixels(mm), raster_px, raster_px)


class MatPainter:
    """Predicts how one printed mat looks."""

    def __init__(self, reader: MatReader) -> None:
        self._reader = reader
        self._pictures: dict[float, Floats] = {}

    def view(self, reading: MatReading, photo_width_px: int, size_px: tuple[int, int]) -> MatView | None:
        """Return the view for a companion of (width, height); None where the corners fix no plane."""
        width_px, height_px = size_px
        at = (reading.pixels + 0.5) * (width_px / photo_width_px) - 0.5
        on_mat_mm = self._reader.corners_mm[reading.numbers]
        fitted = _fitted(at, on_mat_mm, size_px)
        if fitted is None:
            return None
        coarse = _grid(width_px, height_px)
        places = _fine(fitted.places_mm(coarse), width_px, height_px)
        below = _fine(fitted.in_front(coarse), width_px, height_px)
        seen = more_than(below, 0.5)
        square_px = self._square_px(fitted, at)
        half_mm = max(self._reader.spec.width_mm, self._reader.spec.height_mm) / 2
        return MatView(places, *self._painted(places, seen, square_px), square_px, half_mm, fitted)

    def _painted(self, places_mm: Floats, seen: Flags, square_px: float) -> tuple[Flags, Floats]:
        mat = self._reader.spec
        per_mm = max(0.5, min(6.0, float(np.round(square_px / mat.square_mm * 2) / 2)))
        picture = self._picture(per_mm)
        scale, shift = np.diag([per_mm, -per_mm]), np.array([mat.width_mm, mat.height_mm]) / 2 * per_mm - 0.5
        at = np.asarray(cv2.transform(places_mm, np.column_stack([scale, shift])), np.float32)
        print_share = looked_up(picture, at, beyond=-1)
        half = (mat.width_mm / 2, mat.height_mm / 2)
        inside = both(within(places_mm, (-half[0], -half[1]), half), seen)
        inside = np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8)), np.uint8)
        return inside, np.asarray(cv2.GaussianBlur(print_share, (5, 5), 0.8), np.float32)

    def _picture(self, per_mm: float) -> Floats:
        """Averaged over what one pixel sees of it."""
        if per_mm not in self._pictures:
            fine = self._reader.picture(4 * per_mm)
            size = (fine.shape[1] // 4, fine.shape[0] // 4)
            small = cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
            self._pictures[per_mm] = np.asarray(small, np.float32) / np.float32(255)
        return self._pictures[per_mm]

    def _square_px(self, fitted: "PlaneFit", at: Matrix) -> float:
        """Root of a square's area where the corners are."""
        middle = np.median(at, axis=0)
        steps = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) + middle
        origin, right, down = fitted.places_mm(steps)
        area_mm2 = abs(float(np.linalg.det(np.stack([right - origin, down - origin]))))
        return float(self._reader.spec.square_mm / max(area_mm2, 1e-9) ** 0.5)


@dataclass(frozen=True)
class PlaneFit:
    """Pixels to millimetres: the lens unbent about the picture's middle, then a homography."""

    homography: Matrix
    bending: float
    """How far a pixel half a picture's width from the middle is moved outwards, as a share of that."""
    size_px: tuple[int, int]

    def places_mm(self, at: Matrix) -> Matrix:
        """Return (..., 2) for pixels (..., 2)."""
        mm = _projected(self.homography, self._unbent(at))
        return np.asarray(np.clip(mm, -FAR_MM, FAR_MM))

    def pixels(self, places_mm: Matrix) -> Matrix:
        """Return (..., 2), the way back."""
        straight = _projected(np.asarray(np.linalg.inv(self.homography), np.float64), places_mm)
        at = straight
        for _ in range(2):
            at = straight - (self._unbent(at) - at)
        return at

    def in_front(self, at: Matrix) -> Matrix:
        """Return 1 for pixels (h, w, 2) that look down on the mat's plane, 0 above its horizon."""
        depth = at @ self.homography[2, :2] + self.homography[2, 2]
        return np.where(depth > 0, 1.0, 0.0)

    def _unbent(self, at: Matrix) -> Matrix:
        return at + self.bending * _outwards(at, self.size_px)


def _outwards(at: Matrix, size_px: tuple[int, int]) -> Matrix:
    """Return r² times the way from the middle, in pixels, where r is 1 half a picture's width from it."""
    away = at - (np.array(size_px) - 1) / 2
    squared = np.sum(away * away, axis=-1, keepdims=True) / (size_px[0] / 2) ** 2
    return np.asarray(away * np.minimum(squared, MOST_SQUARED))


def _fitted(at: Matrix, on_mat_mm: Matrix, size_px: tuple[int, int]) -> PlaneFit | None:
    fit = _homography(at, on_mat_mm, 0.0, size_px)
    if fit is None or len(at) < BENDING_CORNERS:
        return fit
    for _ in range(BENDING_ROUNDS):
        bending = fit.bending + _bent(at, on_mat_mm, fit)
        better = _homography(at, on_mat_mm, bending, size_px)
        if better is None or abs(bending) > MOST_BENDING:
            return fit
        fit = better
    return fit


def _homography(at: Matrix, on_mat_mm: Matrix, bending: float, size_px: tuple[int, int]) -> PlaneFit | None:
    straight = at + bending * _outwards(at, size_px)
    homography, _ = cv2.findHomography(straight, on_mat_mm, cv2.RANSAC, WITHIN_MM)
    if homography is None:
        return None
    # Its scale is free: positive where the corners are, so that the horizon is where it changes its sign.
    depth = straight @ homography[2, :2] + homography[2, 2]
    if not (depth > 0).all() and not (depth < 0).all():
        return None
    return PlaneFit(np.asarray(homography if depth[0] > 0 else -homography, np.float64), bending, size_px)


def _bent(at: Matrix, on_mat_mm: Matrix, fit: PlaneFit) -> float:
    """Return the change of bending that, with the homography free to follow, leaves the least: one step of Newton."""
    step = 1e-3
    other = _homography(at, on_mat_mm, fit.bending + step, fit.size_px)
    if other is None:
        return 0.0
    left = on_mat_mm - fit.places_mm(at)
    change = (on_mat_mm - other.places_mm(at) - left) / step
    good = np.abs(left).max(axis=1) < WITHIN_MM
    return float(-np.sum(left[good] * change[good]) / max(float(np.sum(change[good] ** 2)), 1e-9))


def _projected(homography: Matrix, points: Matrix) -> Matrix:
    flat = points.reshape(-1, 2)
    straight = flat @ homography[:, :2].T + homography[:, 2]
    depth = np.where(np.abs(straight[:, 2:]) < 1e-12, 1e-12, straight[:, 2:])
    return np.asarray((straight[:, :2] / depth).reshape(points.shape))


def _fine(coarse: Matrix, width_px: int, height_px: int) -> Floats:
    """Return what `_grid`'s cells hold at every pixel."""
    size = (width_px + COARSE_PX, height_px + COARSE_PX)
    whole = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    margin = COARSE_PX // 2
    return np.ascontiguousarray(whole[margin : margin + height_px, margin : margin + width_px], np.float32)


def _grid(width_px: int, height_px: int) -> Matrix:
    """Return the centres of coarse cells, half a cell around the picture on every side."""
    columns = -(-width_px // COARSE_PX) + 1
    rows = -(-height_px // COARSE_PX) + 1
    x, y = np.meshgrid(np.arange(columns, dtype=np.float64), np.arange(rows, dtype=np.float64))
    step_x, step_y = (width_px + COARSE_PX) / columns, (height_px + COARSE_PX) / rows
    # As cv2.resize places them: cell centres at (i + 0.5) cells, less the margin of half a coarse cell.
    left, top = (x + 0.5) * step_x - 0.5 - COARSE_PX // 2, (y + 0.5) * step_y - 0.5 - COARSE_PX // 2
    return np.stack([left, top], axis=-1)
