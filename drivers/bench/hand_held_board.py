"""A calibration board that somebody holds before the camera, one pose after the other."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.scene import Exposure, MatPicture, SceneCamera

Pose = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Camera from board: R (3, 3), t (3,) in mm; the board's origin is its middle, y up, z towards its reader."""
BACKGROUND_LEVEL = 110
FINER = 2
"""Every pixel is the mean of so many times so many rays."""
NOISE_LEVELS = 1.5


class HandHeldBoard:
    """`PictureSource`: the board through a lens with distortion, moved on after so many looks at one pose."""

    def __init__(self, board: MatPicture, lens: SceneCamera, poses: list[Pose], looks_each: int = 6) -> None:
        """At the first pose; at the last it stays."""
        self._board, self._lens, self._poses, self._looks_each = board, lens, poses, looks_each
        self._looks = 0
        self._rays: dict[tuple[int, int], NDArray[np.float32]] = {}

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        """Fill the picture."""
        pose = self._poses[min(self._looks // self._looks_each, len(self._poses) - 1)]
        self._looks += 1
        noise = np.random.default_rng(exposure.noise_seed).normal(0, NOISE_LEVELS, out.shape[:2])
        out[:] = np.clip(self._seen(pose, out.shape[1], out.shape[0]) + noise, 0, 255)[..., None].astype(np.uint8)

    def _seen(self, pose: Pose, width_px: int, height_px: int) -> NDArray[np.float32]:
        rays = self._rays_through(width_px, height_px)
        R, t = pose
        # Where a ray meets the board: R^T (s ray - t) has z = 0.
        normal = R[:, 2]
        along = (normal @ t) / (rays @ normal.astype(np.float32))
        on_board = (rays * along[..., None] - t.astype(np.float32)) @ R.astype(np.float32)
        picture, scale = self._board.pixels, self._board.pixels.shape[1] / self._board.width_mm
        x = (on_board[..., 0] + self._board.width_mm / 2) * scale - 0.5
        y = (self._board.height_mm / 2 - on_board[..., 1]) * scale - 0.5
        fine = cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_CONSTANT, borderValue=BACKGROUND_LEVEL)  # fmt: skip
        smaller = cv2.resize(fine, (width_px, height_px), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(smaller, (0, 0), 0.5), np.float32)

    def _rays_through(self, width_px: int, height_px: int) -> NDArray[np.float32]:
        if (width_px, height_px) not in self._rays:
            x, y = ((np.arange(size * FINER) + 0.5) / FINER - 0.5 for size in (width_px, height_px))
            pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 1, 2)
            K, bent = self._lens.matrix_px(width_px, height_px), np.array(self._lens.distortion)
            at = cv2.undistortPoints(pixels, K, bent).reshape(height_px * FINER, width_px * FINER, 2)
            rays = np.concatenate([at, np.ones((*at.shape[:2], 1))], axis=-1)
            self._rays[width_px, height_px] = rays.astype(np.float32)
        return self._rays[width_px, height_px]
