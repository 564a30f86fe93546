"""What a photo of the bench must show: the true camera, the true mask, and light that adds up."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.clutter import ball
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneCamera, SceneObject

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


@pytest.mark.parametrize(
    ("angle_deg", "elevation_deg"), [(0.0, None), (37.0, None), (200.5, None), (37.0, 45.0), (200.5, 60.0)]
)
def test_mat_corners_lie_where_the_truth_projects_them(angle_deg: float, elevation_deg: float | None) -> None:
    size_px = (960, 720)
    renderer = Renderer(Scene(_ball(20), charuco_mat()))
    photo = renderer.render(Exposure(*size_px, (angle_deg,), elevation_deg=elevation_deg))
    view = renderer.truth(*size_px, angle_deg, elevation_deg)
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


def test_twice_the_exposure_is_twice_the_light(renderer: Renderer) -> None:
    dim = _light(_photo(renderer, 0.0, exposure_us=5_000.0)).mean(axis=2)
    bright = _light(_photo(renderer, 0.0, exposure_us=10_000.0)).mean(axis=2)
    gained = _light(_photo(renderer, 0.0, exposure_us=5_000.0, analogue_gain=2.0)).mean(axis=2)
    lit = dim > 0.05
    assert np.median(bright[lit] / dim[lit]) == pytest.approx(2, rel=0.02)
    assert np.median(gained[lit] / dim[lit]) == pytest.approx(2, rel=0.02)


def test_white_is_well_exposed_at_the_nominal_exposure(renderer: Renderer) -> None:
    photo = _photo(renderer, 0.0, object_present=False)
    middle = photo[200:330, 140:340]  # all mat
    assert 205 < np.percentile(middle, 97) < 245
    assert (photo == 255).mean() < 0.001
    assert np.abs(middle.reshape(-1, 3).mean(axis=0) - middle.mean()).max() < 4  # grey looks grey


def test_noise_grows_with_gain_and_not_with_the_angle(renderer: Renderer) -> None:
    def noise_of(gain: float) -> float:
        settings = {"exposure_us": 20_000.0 / gain, "analogue_gain": gain, "object_present": False}
        pair = [_photo(renderer, 0.0, noise_seed=seed, **settings) for seed in (1, 2)]
        return float(np.std(_light(pair[0]) - _light(pair[1])))

    assert noise_of(8.0) == pytest.approx(noise_of(1.0) * np.sqrt(8), rel=0.25)
    again = [_photo(renderer, 0.0, noise_seed=3) for _ in range(2)]
    assert np.array_equal(*again)


def test_a_wrong_white_balance_tints(renderer: Renderer) -> None:
    red, _, blue = _light(_photo(renderer, 0.0, exposure_us=8_000.0, colour_gains=(2.1, 0.95)))[200:].mean(
        axis=(0, 1)
    )
    assert red / blue == pytest.approx(2, rel=0.1)


def test_a_turning_platter_smears_along_the_turn() -> None:
    size_px = (640, 480)
    renderer = Renderer(Scene(_ball(10), charuco_mat()))
    still, turning = (
        _light(renderer.render(Exposure(*size_px, angles, object_present=False))).mean(axis=2)
        for angles in ((0.0,), tuple(np.linspace(-0.6, 0.6, 9)))
    )
    view = renderer.truth(*size_px, 0.0)
    at = view.K @ (view.R @ np.array([0.0, -80.0, 0.0]) + view.t)  # in front of the axis: there the mat moves along x
    column, row = (at[:2] / at[2]).astype(int)
    window = (slice(row - 25, row + 25), slice(column - 25, column + 25))
    across = [(np.diff(photo[window], axis=1) ** 2).sum() for photo in (still, turning)]
    along = [(np.diff(photo[window], axis=0) ** 2).sum() for photo in (still, turning)]
    assert across[1] < 0.7 * across[0]
    assert along[1] > 0.8 * along[0]
    assert turning.mean() == pytest.approx(still.mean(), rel=0.01)


def test_the_mask_is_where_the_thing_changes_the_photo() -> None:
    renderer = Renderer(Scene(_ball(40, x_mm=25), None))
    for angle_deg in (0.0, 90.0):
        full, empty = (_light(_photo(renderer, angle_deg, object_present=present)) for present in (True, False))
        mask = renderer.truth(*_SIZE_PX, angle_deg).mask > 0
        changed = np.abs(full - empty).max(axis=2) > 0.03
        assert mask.sum() > 2000
        assert changed[mask].mean() > 0.9
        view = renderer.truth(*_SIZE_PX, angle_deg)
        centre = view.K @ (view.R @ np.array([25.0, 0.0, 40.0]) + view.t)
        rows, columns = np.nonzero(mask)
        assert (columns.mean(), rows.mean()) == pytest.approx(tuple(centre[:2] / centre[2]), abs=2.0)


def test_focus_on_the_wrong_place_softens_the_mat() -> None:
    def steepness(focus_distance_mm: float) -> float:
        camera = SceneCamera(focus_distance_mm=focus_distance_mm)
        renderer = Renderer(Scene(_ball(10), charuco_mat(), camera))
        light = _light(renderer.render(Exposure(640, 480, (0.0,), object_present=False))).mean(axis=2)
        return float(np.percentile(np.abs(np.diff(light[270:], axis=1)), 98))

    sharp, soft, softer = steepness(450), steepness(200), steepness(100)
    assert softer < 0.7 * soft
    assert soft < 0.85 * sharp


def test_focus_that_an_exposure_sets_is_the_scenes_focus_moved() -> None:
    size, sharp_mm, soft_mm = (320, 240), 450.0, 150.0
    sharp = Renderer(Scene(_ball(10), charuco_mat(), SceneCamera(focus_distance_mm=sharp_mm)))
    soft = Renderer(Scene(_ball(10), charuco_mat(), SceneCamera(focus_distance_mm=soft_mm)))
    refocused = sharp.render(Exposure(*size, (0.0,), focus_dioptres=1000 / soft_mm))
    assert np.array_equal(refocused, soft.render(Exposure(*size, (0.0,))))
    assert not np.array_equal(refocused, sharp.render(Exposure(*size, (0.0,))))


def test_the_thing_casts_a_soft_shadow_on_the_mat(renderer: Renderer) -> None:
    full, empty = (_light(_photo(renderer, 0.0, object_present=present)).mean(axis=2) for present in (True, False))
    mask = renderer.truth(*_SIZE_PX, 0.0).mask > 0
    share = full[~mask & (empty > 0.2)] / empty[~mask & (empty > 0.2)]
    assert np.percentile(share, 0.5) < 0.85
    assert np.median(share) == pytest.approx(1, abs=0.02)


def test_angles_that_hardly_differ_count_as_one(renderer: Renderer) -> None:
    assert np.array_equal(_photo(renderer, 10.0), _photo(renderer, 9.999, 10.0, 10.001))


def test_a_small_blur_is_the_mean_of_what_it_passed() -> None:
    renderer = Renderer(Scene(_ball(25, x_mm=60), charuco_mat()))

    def light(*angles_deg: float) -> NDArray[np.float32]:
        return _light(renderer.render(Exposure(960, 720, angles_deg)))

    passed = [light(angle_deg) for angle_deg in (80.0, 80.06, 80.14)]
    mean = np.mean(passed, axis=0)
    off, between = (float(np.sqrt(((one - mean) ** 2).mean())) for one in (light(80.0, 80.06, 80.14), passed[0]))
    assert off < 0.2 * between


@pytest.mark.parametrize("height_mm", [10.0, 150.0])
def test_a_single_upright_triangle_is_a_thing_too(height_mm: float) -> None:
    vertices = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0, 1]], np.float32) * np.float32(height_mm)
    thing = SceneObject(vertices, np.array([[0, 1, 2]], np.uint32))
    renderer = Renderer(Scene(thing, None))
    assert _photo(renderer, 0.0).shape == (360, 480, 3)
    area_px = (renderer.truth(*_SIZE_PX, 0.0).mask > 0).sum()
    expected_px = height_mm**2 / 2 * np.cos(np.deg2rad(30)) * (2290.4 * 480 / 1600 / 480) ** 2
    assert area_px == pytest.approx(expected_px, rel=0.25)


def test_a_raised_camera_shows_another_picture_and_another_size_forgets_nothing(renderer: Renderer) -> None:
    low, high = _photo(renderer, 37.0), _photo(renderer, 37.0, elevation_deg=60.0)
    assert np.array_equal(low, _photo(renderer, 37.0, elevation_deg=30.0)), "the scene's own elevation"
    assert not np.array_equal(low, high)
    view = renderer.truth(*_SIZE_PX, 37.0, 60.0)
    centre_mm = -view.R.T @ view.t
    assert np.degrees(np.arcsin((centre_mm[2] - 67.5) / 480)) == pytest.approx(60.0)
