"""What stands still behind the turntable, from a photo of it empty or from the views themselves."""

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.jit import kernel

Photo = NDArray[np.uint8]
Flags = NDArray[np.bool_]

SAME_LEVELS = 10
"""Two grey levels this close count as the same thing in the most frequent value."""

MIN_SHARE = 0.5
"""Of the views that see past the mat at a pixel, those that must agree before it counts as background."""

SURE_SHARE = 0.95

MIN_VIEWS = 4


@dataclass(frozen=True)
class StaticBackground:
    """The scene without turntable and object, as far as it is known."""

    picture: Photo
    """(H, W, 3), undistorted."""
    known: Flags
    """(H, W)."""
    sure: Flags
    """(H, W): known so well that likeness alone proves it is seen; elsewhere a still object may have posed as it."""


def from_plate(plate: Photo, plate_mat: Flags) -> StaticBackground:
    """Use a photo of the empty table; where its own mat lies (H, W) it says nothing of what is beneath."""
    return StaticBackground(plate.copy(), ~plate_mat, ~plate_mat)


def from_views(views: list[Photo], mats: list[Flags], same_levels: int = SAME_LEVELS) -> StaticBackground:
    """Take each pixel's most frequent value over the views that do not show the mat there."""
    stack, covered = np.stack(views), np.stack(mats)
    picture, share, count = _most_frequent(stack, covered, same_levels)
    agreed = (share >= MIN_SHARE) & (count >= MIN_VIEWS)
    return StaticBackground(picture, agreed, agreed & (share >= SURE_SHARE))


def completed(start: StaticBackground, rest: StaticBackground) -> StaticBackground:
    """Fill what is unknown in one with the other."""
    filled = np.where(start.known[..., None], start.picture, rest.picture)
    return StaticBackground(filled.astype(np.uint8), start.known | rest.known, start.sure | rest.sure)


def matched_gain(background: StaticBackground, view: Photo, mat: Flags) -> NDArray[np.float32]:
    """(3,): factor a channel that makes the background as bright as this view; exposure may have drifted.

    The median over pixels that see past the mat and are neither black nor burnt; 1 where too few are left.
    """
    step = (slice(None, None, 4), slice(None, None, 4))
    level, seen = background.picture[step].astype(np.float32), view[step].astype(np.float32)
    usable = background.known[step] & ~mat[step] & (level.min(2) > 20) & (level.max(2) < 235) & (seen.max(2) < 245)
    if usable.sum() < 200:
        return np.ones(3, np.float32)
    return np.asarray(np.clip(np.median(seen[usable] / level[usable], axis=0), 0.7, 1.4), np.float32)


def mat_footprint(
    size_mm: tuple[float, float], K: NDArray[np.float64], R: NDArray[np.float64], t_mm: NDArray[np.float64],
    size_px: tuple[int, int], grow_px: int = 0,
) -> Flags:  # fmt: skip
    """(H, W): where the mat lies in an undistorted photo of size (width, height), object or not."""
    half_x, half_y = size_mm[0] / 2, size_mm[1] / 2
    corners = np.array([[-half_x, -half_y, 0], [half_x, -half_y, 0], [half_x, half_y, 0], [-half_x, half_y, 0]])
    seen = (corners @ R.T + t_mm) @ K.T
    flags = np.zeros((size_px[1], size_px[0]), np.uint8)
    # Fixed point with four binary digits, so that the edge is right to a fraction of a pixel.
    cv2.fillConvexPoly(flags, np.round(seen[:, :2] / seen[:, 2:] * 16).astype(np.int32), 1, shift=4)
    if grow_px > 0:
        flags = cv2.dilate(flags, np.ones((2 * grow_px + 1, 2 * grow_px + 1), np.uint8))  # type: ignore[assignment]
    return flags.astype(bool)


@kernel()
def _most_frequent(
    views: NDArray[np.uint8], covered: NDArray[np.bool_], width: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
    count, height, columns, _ = views.shape
    picture = np.zeros((height, columns, 3), np.uint8)
    share = np.zeros((height, columns), np.float32)
    seen = np.zeros((height, columns), np.int32)
    for y in numba.prange(height):
        level = np.empty(count, np.int32)
        which = np.empty(count, np.int32)
        for x in range(columns):
            n = 0
            for v in range(count):
                if not covered[v, y, x]:
                    level[n] = np.int32(views[v, y, x, 0]) + 2 * views[v, y, x, 1] + views[v, y, x, 2]
                    which[n] = v
                    n += 1
            seen[y, x] = n
            if n == 0:
                continue
            best, start = 0, level[0]
            for i in range(n):
                inside = 0
                for j in range(n):
                    if 0 <= level[j] - level[i] <= 4 * width:
                        inside += 1
                if inside > best:
                    best, start = inside, level[i]
            blue, green, red = 0, 0, 0
            for i in range(n):
                if 0 <= level[i] - start <= 4 * width:
                    blue += views[which[i], y, x, 0]
                    green += views[which[i], y, x, 1]
                    red += views[which[i], y, x, 2]
            picture[y, x, 0] = np.uint8(blue / best + 0.5)
            picture[y, x, 1] = np.uint8(green / best + 0.5)
            picture[y, x, 2] = np.uint8(red / best + 0.5)
            share[y, x] = best / n
    return picture, share, seen
