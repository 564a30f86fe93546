"""Where a thing can be at all, so that rays go nowhere else: in the photo, and where its shadow falls."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from drivers.bench.picture.lights import AreaLight
from drivers.bench.picture.rays import CameraPose, Floats, Matrix, turn_about_z
from drivers.bench.scene import SceneCamera

_MARGIN_PX = 4
_GRID_MM = 4.0
_GRID_HALF = 160
"""The floor's grid reaches this many cells to every side of the axis."""


class Outline:
    """The convex hull of a thing in the mat's frame."""

    def __init__(self, vertices_mm: Floats, offset_mm: tuple[float, float]) -> None:
        self._hull_mm = _hull(vertices_mm.astype(np.float64)) + np.array([*offset_mm, 0.0])

    def window(
        self, camera: SceneCamera, pose: CameraPose, size_px: tuple[int, int], tilt_deg: float = 0.0
    ) -> tuple[slice, slice]:
        """Return the rows and columns of the photo that the thing may touch at any angle, leaning by so much."""
        radius_mm = float(np.hypot(self._hull_mm[:, 0], self._hull_mm[:, 1]).max()) / np.cos(np.pi / 64)
        around = np.linspace(0, 2 * np.pi, 64)
        ring = np.stack([np.cos(around), np.sin(around)], axis=1) * radius_mm
        levels = (float(self._hull_mm[:, 2].min()), float(self._hull_mm[:, 2].max()))
        if tilt_deg:
            lean = np.sin(np.deg2rad(tilt_deg))
            levels = (levels[0] - radius_mm * lean, levels[1] + radius_mm * lean)
            ring *= 1 + levels[1] * lean / radius_mm
        cylinder = np.concatenate([np.column_stack([ring, np.full(len(ring), level)]) for level in levels])
        pixels = _projected(cylinder, camera, pose, size_px)
        low = np.clip(np.floor(pixels.min(axis=0)) - _MARGIN_PX, 0, np.array(size_px)).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)) + _MARGIN_PX + 1, 0, np.array(size_px)).astype(int)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def pixels(
        self,
        camera: SceneCamera,
        pose: CameraPose,
        size_px: tuple[int, int],
        window: tuple[slice, slice],
        turn: Matrix,
    ) -> NDArray[np.int64]:
        """Return the flat indices of the window's pixels that the thing may touch, turned (3, 3) like this."""
        rows, columns = window
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        at = _projected(self._hull_mm @ turn.T, camera, pose, size_px)
        polygon = cv2.convexHull(np.round(at - [columns.start, rows.start]).astype(np.int32))
        inside = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(inside, polygon, 1)
        side = 2 * _MARGIN_PX + 1
        return np.flatnonzero(cv2.dilate(inside, np.ones((side, side), np.uint8)))

    def shadow(self, light: AreaLight, angle_deg: float) -> NDArray[np.bool_]:
        """Return which cells of the floor's grid (see `floor_cells`) may not see all of the light."""
        hull = self._hull_mm @ turn_about_z(angle_deg).T
        corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        fallen = [_fallen(hull, corner) for corner in light.points_mm(corners).astype(np.float64)]
        cells = np.clip(np.concatenate(fallen) / _GRID_MM + _GRID_HALF, -4 * _GRID_HALF, 5 * _GRID_HALF)
        grid = np.zeros((2 * _GRID_HALF, 2 * _GRID_HALF), np.uint8)
        cv2.fillConvexPoly(grid, cv2.convexHull(np.round(cells).astype(np.int32)), 1)
        return np.asarray(cv2.dilate(grid, np.ones((3, 3), np.uint8)).astype(np.bool_))


def floor_cells(points_mm: Floats) -> NDArray[np.int64]:
    """Return (n,): the flat index of the grid's cell under each point of the floor; far points share the rim's."""
    cells = np.clip(np.round(points_mm[:, :2] / _GRID_MM) + _GRID_HALF, 0, 2 * _GRID_HALF - 1).astype(np.int64)
    return np.asarray(cells[:, 1] * (2 * _GRID_HALF) + cells[:, 0])


def _hull(vertices_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the convex hull, or of the box around a mesh that is flat or nearly so."""
    try:
        return np.asarray(vertices_mm[ConvexHull(vertices_mm).vertices])
    except QhullError:
        low, high = vertices_mm.min(axis=0), vertices_mm.max(axis=0)
        return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def _projected(
    points_mm: NDArray[np.float64], camera: SceneCamera, pose: CameraPose, size_px: tuple[int, int]
) -> NDArray[np.float64]:
    rotation, _ = cv2.Rodrigues(pose.R)
    K, distortion = camera.matrix_px(*size_px), np.array(camera.distortion)
    return np.asarray(cv2.projectPoints(points_mm, rotation, pose.t, K, distortion)[0], np.float64).reshape(-1, 2)


def _fallen(points_mm: NDArray[np.float64], light_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 2): where the points' shadows fall on z = 0; far out for points above the light."""
    drop = light_mm[2] / np.maximum(light_mm[2] - points_mm[:, 2], 1.0)
    return np.asarray(light_mm[:2] + (points_mm[:, :2] - light_mm[:2]) * drop[:, None])
