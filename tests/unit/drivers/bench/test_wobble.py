"""A leaning platter carries mat and object with it: both are seen where an axis that leans puts them."""

import cv2
import numpy as np
import pytest

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.renderer import Renderer, TrueView
from drivers.bench.scene import Exposure, Scene, SceneObject
from drivers.bench.truth import true_pose
from drivers.bench.wobble import STEADY, Wobble

SIZE_PX = (960, 720)
POLE_MM, POLE_HALF_MM = 140.0, 3.0


def pole() -> SceneObject:
    """Upright, on the axis; its top shows how far the axis leans."""
    low, high = np.array([-POLE_HALF_MM, -POLE_HALF_MM, 0.0]), np.array([POLE_HALF_MM, POLE_HALF_MM, POLE_MM])
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)])
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = [face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]
    return SceneObject((low + corners * (high - low)).astype(np.float32), np.array(faces, np.uint32), paint_seed=1)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Scene(pole(), charuco_mat()))


def seen_px(view: TrueView, points_mm: np.ndarray) -> np.ndarray:
    rotation, _ = cv2.Rodrigues(view.R)
    projected = cv2.projectPoints(points_mm, rotation, view.t, view.K, view.distortion)[0]
    return np.asarray(projected).reshape(-1, 2)


@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 200.5])
@pytest.mark.parametrize("wobble", [Wobble(0.8, 1, 25.0), Wobble(1.5, 2, 140.0)], ids=["askew", "two high spots"])
def test_the_mat_is_seen_where_the_leaning_platter_carries_it(
    renderer: Renderer, angle_deg: float, wobble: Wobble
) -> None:
    photo = renderer.render(Exposure(*SIZE_PX, (angle_deg,), wobble=wobble))
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
    board = cv2.aruco.CharucoBoard((15, 15), 18.0, 13.5, dictionary)
    found, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    corners = np.asarray(board.getChessboardCorners())[ids.reshape(-1)]
    in_mat = np.column_stack([corners[:, 0] - 135, 135 - corners[:, 1], np.zeros(len(corners))])
    leaning = seen_px(renderer.truth(*SIZE_PX, angle_deg, wobble=wobble), in_mat) - found.reshape(-1, 2)
    upright = seen_px(renderer.truth(*SIZE_PX, angle_deg), in_mat) - found.reshape(-1, 2)
    assert len(ids) > 60
    assert np.sqrt((leaning**2).mean()) < 0.1
    assert np.sqrt((upright**2).mean()) > 1, "it does lean"


@pytest.mark.parametrize("angle_deg", [0.0, 90.0, 200.5])
def test_the_object_leans_with_it(renderer: Renderer, angle_deg: float) -> None:
    wobble = Wobble(1.5, 2, 60.0)
    photos = [
        renderer.render(Exposure(*SIZE_PX, (angle_deg,), wobble=wobble, object_present=there)).astype(float)
        for there in (True, False)
    ]
    view = renderer.truth(*SIZE_PX, angle_deg, wobble=wobble)
    half = POLE_HALF_MM
    top = seen_px(view, np.array([[x, y, POLE_MM] for x in (-half, half) for y in (-half, half)]))
    x, y = top[:, 0].mean(), top[:, 1].min()
    changed = np.abs(photos[0] - photos[1]).max(axis=2) > 12
    rows = np.flatnonzero(changed[: round(y) + 40, round(x) - 12 : round(x) + 13].any(axis=1))
    assert rows[0] == pytest.approx(y, abs=2), "the pole ends where its top is"
    band = changed[round(y) + 8 : round(y) + 14]
    assert np.flatnonzero(band.any(axis=0)).mean() == pytest.approx(x, abs=1.5)


def test_an_askew_platter_leans_to_the_same_side_of_itself_always() -> None:
    askew, nodding = Wobble(0.5, 1, 30.0), Wobble(0.5, 2, 30.0)
    scene = Scene(pole(), charuco_mat())

    def axis_in_mat(wobble: Wobble, angle_deg: float) -> np.ndarray:
        """The vertical, as whoever sits on the mat sees it."""
        steady, _ = true_pose(scene, angle_deg)
        leaning, _ = true_pose(scene, angle_deg, wobble=wobble)
        return np.asarray(leaning.T @ steady @ np.array([0.0, 0.0, 1.0]))

    assert axis_in_mat(askew, 0.0) == pytest.approx(axis_in_mat(askew, 111.0), abs=1e-12)
    assert np.abs(axis_in_mat(nodding, 0.0) - axis_in_mat(nodding, 111.0)).max() > 0.005
    for angle_deg in (0.0, 75.0, 300.0):
        vertical = axis_in_mat(nodding, angle_deg)
        assert np.rad2deg(np.arccos(vertical[2])) == pytest.approx(0.5, abs=1e-6)


def test_a_mat_turned_on_the_platter_changes_nothing_of_how_the_platter_leans() -> None:
    wobble, turned_deg = Wobble(0.7, 2, 30.0), 40.0
    by_mat = wobble.seen_by_mat(turned_deg)
    assert by_mat.matrix(100.0 + turned_deg) == pytest.approx(wobble.matrix(100.0), abs=1e-12)
    assert np.array_equal(STEADY.matrix(12.0), np.eye(3))
