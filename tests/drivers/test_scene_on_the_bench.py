"""The whole bench at once: pulses on a pin become a turned mat in a photo."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers import registry
from drivers.bench.install import install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.pins import BenchWiring
from drivers.bench.scene import Scene, SceneCamera, SceneObject
from drivers.options import Picamera2Options, StepperGpioOptions
from drivers.stepper_gpio import StepperGpio

WIDTH_PX, HEIGHT_PX = 1200, 900
SQUARES, SQUARE_MM, MARKER_MM = 15, 18.0, 13.5
ACCURACY_DEG = 0.05
"""What a mat of 270 mm gives at this size of photo."""


def tetrahedron() -> SceneObject:
    vertices_mm = np.array([[15, 0, 0], [-10, 12, 0], [-10, -12, 0], [0, 0, 25]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.uint32)
    return SceneObject(vertices_mm, faces, vertex_colours=np.full((4, 3), 0.5, np.float32), height_mm=25)


def camera_from_mat(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return R (3, 3) of a photo, by the mat's markers and the true lens."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
    board = cv2.aruco.CharucoBoard((SQUARES, SQUARES), SQUARE_MM, MARKER_MM, dictionary)
    corners, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(pixels)
    assert ids is not None
    assert len(ids) > 40
    corners_mm = np.asarray(board.getChessboardCorners())[ids.ravel()] * [1, -1, 1]
    truth = SceneCamera()
    matrix, distortion = truth.matrix_px(WIDTH_PX, HEIGHT_PX), np.array(truth.distortion)
    found, rotation, _ = cv2.solvePnP(corners_mm, corners, matrix, distortion)
    assert found
    return np.asarray(cv2.Rodrigues(rotation)[0])


@pytest.mark.parametrize("dir_high_turns", [1, -1])
async def test_the_photo_shows_where_the_pulses_turned_the_mat(dir_high_turns: int) -> None:
    scene = Scene(tetrahedron(), charuco_mat(SQUARES, SQUARES, SQUARE_MM, MARKER_MM))
    with install_bench(scene, wiring=BenchWiring(dir_high_turns=dir_high_turns)) as bench:
        axis = StepperGpio(StepperGpioOptions(), bench.clock)
        options = Picamera2Options(WIDTH_PX, HEIGHT_PX, focal_length_mm=9.0)
        camera = registry.camera_driver("picamera2")(options)
        await camera.open()
        await axis.home()
        before = camera_from_mat((await camera.capture()).photo.y)
        await axis.move_to(20)
        await bench.clock.wait_until(bench.clock.now_s() + 1.2)
        after = camera_from_mat((await camera.capture()).photo.y)
        await axis.close()
        await camera.close()
        true_deg = bench.angle_deg
    turned = before.T @ after
    seen_deg = math.degrees(math.atan2(turned[1, 0], turned[0, 0]))
    assert seen_deg == pytest.approx(true_deg, abs=ACCURACY_DEG)
    assert seen_deg == pytest.approx(20 * dir_high_turns, abs=ACCURACY_DEG)
