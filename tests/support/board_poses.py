"""How somebody holds a calibration board before a camera, and what a true lens shows of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import Lens
from offload.geometry.mat_board import MatBoard
from scannerd.calibration.board_view import BoardView, view_at

Pose = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Turn of the board as a rotation vector, on top of facing the camera; its middle in the camera's frame, mm."""

SIZE_PX = (1600, 1200)
TRUE_LENS = Lens(*SIZE_PX, 2290.4, 1.0, (806.8, 595.4), (-0.08, 0.05, 0.0003, -0.0002, 0.0))
FACING = np.diag([1.0, -1.0, -1.0])
"""The board's y is up, its normal towards the camera."""


def held() -> list[Pose]:
    """All over the photo, tilted to all sides, near and far."""
    places = [(x, y) for y in (-95, 0, 95) for x in (-140, 0, 140)]
    tilts = [
        (0.45, 0.0),
        (0.0, 0.45),
        (-0.45, 0.0),
        (0.0, -0.45),
        (0.3, 0.3),
        (-0.3, 0.35),
        (0.35, -0.3),
        (-0.35, -0.3),
    ]
    poses: list[Pose] = []
    for index in range(16):
        (x, y), (about_x, about_y) = places[index * 2 % 9], tilts[index % 8]
        poses.append(((about_x, about_y, 0.15 * (index % 5 - 2)), (float(x), float(y), 620.0 + 60 * (index % 3))))
    return poses


def placed(turn: tuple[float, float, float], at_mm: tuple[float, float, float]) -> tuple[NDArray, NDArray]:
    """Return R (3, 3) and t (3,): camera from board."""
    return np.asarray(cv2.Rodrigues(np.array(turn))[0] @ FACING), np.array(at_mm)


def shown(board: MatBoard, nominal: Lens, turn: tuple[float, float, float], at_mm: tuple[float, float, float],
          random: np.random.Generator, noise_px: float) -> BoardView | None:  # fmt: skip
    """Return what the true lens shows of a board that is held so."""
    R, t = placed(turn, at_mm)
    in_camera = np.column_stack([board.corners_mm, np.zeros(len(board.corners_mm))]) @ R.T + t
    pixels = TRUE_LENS.project(in_camera) + random.normal(0, noise_px, (len(in_camera), 2))
    inside = ((pixels >= 0) & (pixels < SIZE_PX)).all(axis=1)
    if inside.sum() < 20:
        return None
    return view_at(board, np.flatnonzero(inside), pixels[inside], nominal)
