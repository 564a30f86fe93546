"""How far a picture moved from one companion to the next, in hundredths of a pixel, tile by tile.

Between two pictures a moment apart, brightness changes by its gradient times the displacement; least squares over a
tile solves for the displacement (Lucas and Kanade, "An iterative image registration technique", IJCAI 1981). What the
displacement does not explain says that the tile moved farther than the law holds, so that its answer means nothing.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_WIDTH_PX = 512
"""Sensor noise is averaged away on the way down to it, and the law holds for larger motions."""
TILE_PX = 32
LEAST_GRADIENT = 2.0
"""Levels a pixel, root mean square over a tile: less says nothing about motion."""
LEAST_TEXTURED_TILES = 3
QUIETEST = 0.1
"""The tenth of the tiles that changed least shows only the sensor's noise, as long as something stands still."""
INCOHERENT = 6.0
"""So many times the noise must a change exceed before it is asked whether displacement explains it."""
EXPLAINED = 0.5
UPPER = 0.9
"""The motion of a region is what nine of ten of its tiles do not exceed."""

Plane = NDArray[np.uint8]
Tiles = NDArray[np.float32]


@dataclass(frozen=True)
class Shrunk:
    """A companion made small once, to be compared with the one before and the one after."""

    grey: NDArray[np.float32]
    px_per_px: float
    """Companion pixels in one of its own."""


def shrunk(luma: Plane) -> Shrunk:
    """Shrink (height, width) brightness for comparison."""
    height, width = luma.shape
    scale = max(1.0, width / WORK_WIDTH_PX)
    size = (round(width / scale), round(height / scale))
    grey = cv2.resize(luma, size, interpolation=cv2.INTER_AREA) if scale > 1 else luma
    return Shrunk(np.asarray(grey, np.float32), scale)


def tile_shares(mask: NDArray[np.uint8], like: Shrunk) -> Tiles:
    """Return which share of each tile a mask of the companion covers, 0 to 1."""
    height, width = like.grey.shape
    covered = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return _means(np.asarray(covered, np.float32) / np.float32(255))


def middle_tiles(like: Shrunk, fraction: float = 0.6) -> Tiles:
    """Return 1 for the tiles in the middle of the picture, where the object is, and 0 for the others."""
    rows, columns = _grid(like.grey)
    inside = np.zeros((rows, columns), np.float32)
    top, left = round(rows * (1 - fraction) / 2), round(columns * (1 - fraction) / 2)
    inside[top : rows - top, left : columns - left] = 1
    return inside


class MotionMeter:
    """Compares companions; remembers how noisy the sensor is."""

    def __init__(self) -> None:
        self._noise = float("inf")

    def moved_px(self, before: Shrunk, after: Shrunk, tiles: Tiles) -> float | None:
        """Return how far the tiles that count (above one half) moved, in companion pixels.

        Infinite when they moved farther than can be measured, None when too few of them have any texture.
        """
        change = after.grey - before.grey
        gradient_x, gradient_y = _gradients((before.grey + after.grey) * 0.5)
        xx, yy = _means(gradient_x * gradient_x), _means(gradient_y * gradient_y)
        xy, xt, yt = (
            _means(a * b) for a, b in ((gradient_x, gradient_y), (gradient_x, change), (gradient_y, change))
        )
        energy = _means(change * change)
        textured = (xx + yy > LEAST_GRADIENT**2) & (tiles > 0.5)
        self._noise = min(self._noise, float(np.quantile(energy, QUIETEST)))
        if np.count_nonzero(textured) < LEAST_TEXTURED_TILES:
            return None
        shift_x, shift_y = _solve(xx, xy, yy, -xt, -yt)
        explained = -(shift_x * xt + shift_y * yt)
        loud = energy > INCOHERENT * self._noise + 0.05 * (xx + yy)
        distance = np.hypot(shift_x, shift_y)
        distance[loud & (explained < EXPLAINED * energy)] = np.inf
        # A whole number of tiles, since between a number and infinity there is nothing to interpolate.
        return float(np.quantile(distance[textured], UPPER, method="lower")) * before.px_per_px


def _gradients(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Levels a pixel along x and y."""
    x = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32)
    y = cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _solve(xx: Tiles, xy: Tiles, yy: Tiles, xt: Tiles, yt: Tiles) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Solve the 2 x 2 system of each tile; where edges run one way only, the shortest displacement is taken."""
    damping = 0.02 * (xx + yy) + np.float32(1e-3)
    a, c = xx + damping, yy + damping
    determinant = a * c - xy * xy
    return (c * xt - xy * yt) / determinant, (a * yt - xy * xt) / determinant


def _grid(grey: NDArray[np.float32]) -> tuple[int, int]:
    height, width = grey.shape
    return max(1, height // TILE_PX), max(1, width // TILE_PX)


def _means(values: NDArray[np.float32]) -> Tiles:
    rows, columns = _grid(values)
    height, width = min(values.shape[0], rows * TILE_PX), min(values.shape[1], columns * TILE_PX)
    return np.asarray(cv2.resize(values[:height, :width], (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
