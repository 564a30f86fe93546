"""What turns with the mat in its plane: the paper's white margin, notes beside the board, the platter itself."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Flags, Photo, StaticBackground, from_views

Floats = NDArray[np.float64]

REACH = 1.35
"""Half width of the plane looked at, over the mat's."""
MOST_VIEWS = 24
SAME_LEVELS = 26
"""Turning under fixed lamps, paper changes its brightness."""


@dataclass(frozen=True)
class TablePlane:
    """The plane from above, as most views agree on it; mat frame, +y up."""

    look: StaticBackground
    to_mm: Floats
    """(3, 3): homography from its pixels to the mat's millimetres."""

    def in_view(self, K: Floats, R: Floats, t_mm: Floats, size_px: tuple[int, int]) -> tuple[Photo, Flags]:
        """Return how it must look in an undistorted photo of size (width, height), and where that is known."""
        homography = K @ np.column_stack([R[:, 0], R[:, 1], t_mm]) @ self.to_mm
        picture = cv2.warpPerspective(self.look.picture, homography, size_px, flags=cv2.INTER_LINEAR)
        known = cv2.warpPerspective(self.look.known.astype(np.uint8), homography, size_px, flags=cv2.INTER_NEAREST)
        return np.asarray(picture, np.uint8), known.astype(bool)


def table_plane(
    views: list[Photo], K: Floats, R: Floats, t_mm: Floats, half_mm: float, pixels_per_mm: float
) -> TablePlane:
    """Lay the undistorted views (V of (H, W, 3)) flat and keep each place's most frequent colour.

    The object hides a different place in each view, and what stands behind never falls on the same place twice.
    """
    reach_mm = REACH * half_mm
    side = round(2 * reach_mm * pixels_per_mm)
    scale = 1 / pixels_per_mm
    to_mm = np.array([[scale, 0, 0.5 * scale - reach_mm], [0, -scale, reach_mm - 0.5 * scale], [0, 0, 1]])
    chosen = range(0, len(views), max(1, -(-len(views) // MOST_VIEWS)))
    flat, outside = [], []
    for view in chosen:
        to_photo = K @ np.column_stack([R[view][:, 0], R[view][:, 1], t_mm[view]]) @ to_mm
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        flat.append(np.asarray(cv2.warpPerspective(views[view], to_photo, (side, side), flags=flags), np.uint8))
        inside = cv2.warpPerspective(np.ones(views[view].shape[:2], np.uint8), to_photo, (side, side), flags=flags)
        outside.append(inside == 0)
    return TablePlane(from_views(flat, outside, SAME_LEVELS), to_mm)
