"""The bench's mat seen from the side by a camera without distortion: true perspective at the price of one warp."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.scene import Exposure, Scene, SceneCamera, SceneObject
from drivers.bench.truth import true_pose

NOTHING = SceneObject(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.uint32))
CAMERA = SceneCamera(principal_offset_px_at_1600=(0.0, 0.0), distortion=(0.0,) * 5)
OFFSET_MM = (1.7, -0.9)


class MatCamera:
    """`PictureSource`: nothing but the mat on a grey table, sharp, at the platter's angles during the exposure."""

    def __init__(self, elevation_deg: float = 40.0, offset_mm: tuple[float, float] = OFFSET_MM) -> None:
        self._mat = charuco_mat(pixels_per_mm=4.0)
        self._scene = Scene(
            NOTHING, self._mat, SceneCamera(**{**vars(CAMERA), "elevation_deg": elevation_deg}), offset_mm
        )
        self.covered = False

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        height, width = out.shape[:2]
        picture = np.full((height, width), 110, np.uint8)
        if not self.covered:
            angles = exposure.platter_angles_deg
            warp = self._homography(angles[len(angles) // 2], width, height)
            picture = cv2.warpPerspective(
                self._mat.pixels, warp, (width, height), flags=cv2.INTER_AREA, borderValue=110
            )
        out[:] = (20 + picture.astype(np.float32) * 0.7).astype(np.uint8)[:, :, None]

    def _homography(self, angle_deg: float, width: int, height: int) -> NDArray[np.float64]:
        """From pixels of the printed mat to pixels of the photo."""
        R, t_mm = true_pose(self._scene, angle_deg)
        to_photo = self._scene.camera.matrix_px(width, height) @ np.column_stack([R[:, 0], R[:, 1], t_mm])
        rows, columns = self._mat.pixels.shape
        mm = self._mat.width_mm / columns
        to_mm = np.array(
            [
                [mm, 0, (0.5 - columns / 2) * mm],
                [0, -mm, (rows / 2 - 0.5) * mm],
                [0, 0, 1],
            ]
        )
        return np.asarray(to_photo @ to_mm)
