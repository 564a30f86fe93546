"""One look at the board: which corners were seen where, and how the board was held."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import Lens
from offload.geometry.mat_board import MatBoard

Floats = NDArray[np.float64]
LEAST_CORNERS = 12
"""Fewer tell little and may be a chance likeness."""


@dataclass(frozen=True)
class BoardView:
    """Corners of one photo, or of a companion in the photo's pixels."""

    numbers: NDArray[np.int64]
    """(n,): which of the board's corners."""
    pixels: Floats
    """(n, 2)."""
    board_mm: Floats
    """(n, 3): where they lie on the board, z = 0."""
    tilt_deg: tuple[float, float]
    """How far the board's left edge is nearer than its right one, and its lower edge than its upper one."""

    def moved_px(self, other: "BoardView") -> float | None:
        """Return how far the same corners lie apart, on average; None where both see fewer than four."""
        _, here, there = np.intersect1d(self.numbers, other.numbers, return_indices=True)
        if len(here) < 4:
            return None
        return float(np.linalg.norm(self.pixels[here] - other.pixels[there], axis=1).mean())


def view_of(board: MatBoard, grey: NDArray[np.uint8], lens: Lens) -> BoardView | None:
    """Look for the board in (h, w) grey; None where too little of it is seen.

    `lens` is roughly what takes the photos, at their size: a smaller picture of one is told in the photo's pixels.
    """
    seen = board.in_spite_of_likenesses(grey)
    if seen is None or len(seen[0]) < LEAST_CORNERS:
        return None
    numbers, pixels = seen
    share = np.array([lens.width_px / grey.shape[1], lens.height_px / grey.shape[0]])
    return view_at(board, numbers, (pixels + 0.5) * share - 0.5, lens)


def view_at(board: MatBoard, numbers: NDArray[np.int64], pixels: Floats, lens: Lens) -> BoardView | None:
    """Return the view that shows these corners there; None where no pose of the board does."""
    flat = board.corners_mm[numbers]
    board_mm = np.column_stack([flat, np.zeros(len(flat))])
    found, turn, _ = cv2.solvePnP(board_mm, pixels, lens.K, np.array(lens.distortion), flags=cv2.SOLVEPNP_IPPE)
    if not found:
        return None
    x, y, z = cv2.Rodrigues(turn)[0][:, 2]
    toward = -1.0 if z > 0 else 1.0  # the normal that points to the camera
    angles = np.rad2deg(np.arctan2([toward * x, -toward * y], -toward * z))
    return BoardView(numbers, pixels, board_mm, (float(angles[0]), float(angles[1])))
