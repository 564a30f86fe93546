"""What a photo of the bench must show: the true camera, the true mask, and light that adds up."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.clutter import ball
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject

_SIZE_PX = (480, 360)


def _ball(radius_mm: float, x_mm: float = 0.0) -> SceneObject:
    vertices, faces = ball(radius_mm)
    return SceneObject((vertices + np.array([x_mm, 0, 0])).astype(np.float32), faces.astype(np.uint32), paint_seed=1)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Scene(_ball(20), charuco_mat()))


def _photo(renderer: Renderer, *angles_deg: float, **settings: float) -> NDArray[np.uint8]:
    return renderer.render(Exposure(*_SIZE_PX, angles_deg, **settings))  # type: ignore[arg-type]


def _light(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    return srgb_to_linear(photo)


@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 200.5])
def test_mat_corners_lie_where_the_truth_projects_them(angle_deg: float) -> None:
    size_px = (960, 720)
    renderer = Renderer(Scene(_ball(20), charuco_mat()))
    photo = renderer.render(Exposure(*size_px, (angle_deg,)))
    view = renderer.truth(*size_px, angle_deg)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
    board = cv2.aruco.CharucoBoard((15, 15), 18.0, 13.5, dictionary)
    found, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    corners = np.asarray(board.getChessboardCorners())[ids.reshape(-1)]
    in_mat = np.column_stack([corners[:, 0] - 135, 135 - corners[:, 1], np.zeros(len(corners))])
    rotation, _ = cv2.Rodrigues(view.R)
    expected = cv2.projectPoints(in_mat, rotation, view.t, view.K, view.distortion)[0].reshape(-1, 2)
    error_px = found.reshape(-1, 2) - expected
    assert len(ids) > 60
    assert np.abs(error_px.mean(axis=0)).max() < 0.05
    assert np.sqrt((error_px**2).mean()) < 0.1
