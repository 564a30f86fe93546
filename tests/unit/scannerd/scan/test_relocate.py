"""The platter's angle from two photos of the mat alone, on the bench's own camera with its lens distortion."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.clutter import ball
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject
from scannerd.config import MatSection
from scannerd.scan.relocate import CannotLocate, heading_turned_deg, mat_corners, turned_deg

MAT = MatSection().spec()


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    vertices, faces = ball(35)
    thing = SceneObject(vertices.astype(np.float32), faces.astype(np.uint32), paint_seed=1)
    return Renderer(Scene(thing, charuco_mat()))


def photo(renderer: Renderer, angle_deg: float, elevation_deg: float | None = None) -> NDArray[np.uint8]:
    pixels = renderer.render(Exposure(1200, 900, (angle_deg,), elevation_deg=elevation_deg))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize(("before_deg", "after_deg"), [(0.0, 10.0), (30.0, -75.25), (200.0, 20.5)])
def test_the_turn_between_two_photos_is_read_off_the_mat(
    renderer: Renderer, before_deg: float, after_deg: float
) -> None:
    assert MAT is not None
    before, after = photo(renderer, before_deg), photo(renderer, after_deg)
    turn_deg = turned_deg(mat_corners(before, MAT), mat_corners(after, MAT))
    wrong_deg = (turn_deg - (after_deg - before_deg) + 180) % 360 - 180
    assert wrong_deg == pytest.approx(0, abs=0.05)


def test_a_photo_without_the_mat_is_no_guess() -> None:
    assert MAT is not None
    empty = np.full((900, 1200), 128, np.uint8)
    with pytest.raises(CannotLocate, match="0 corners of the mat seen, 12 needed"):
        mat_corners(empty, MAT)


def test_a_camera_that_was_moved_is_noticed(renderer: Renderer) -> None:
    assert MAT is not None
    before = photo(renderer, 0.0)
    corners = np.array([[0, 0], [1200, 0], [1200, 900], [0, 900]], np.float32)
    elsewhere = corners + np.array([[0, 0], [-160, 90], [-30, -60], [80, 0]], np.float32)
    warp = cv2.getPerspectiveTransform(corners, elsewhere)
    after = np.asarray(cv2.warpPerspective(before, warp, (1200, 900)), np.uint8)
    with pytest.raises(CannotLocate, match="camera or mat was moved"):
        turned_deg(mat_corners(before, MAT), mat_corners(after, MAT))


@pytest.mark.parametrize(("before_deg", "after_deg"), [(0.0, 10.0), (30.0, -75.25), (200.0, 20.5)])
def test_the_turn_is_told_from_another_height_as_well(
    renderer: Renderer, before_deg: float, after_deg: float
) -> None:
    assert MAT is not None
    before, after = photo(renderer, before_deg), photo(renderer, after_deg, elevation_deg=60.0)
    corners = mat_corners(before, MAT), mat_corners(after, MAT)
    wrong_focal_px = 2290.4 * 1200 / 1600 * 1.05
    turn_deg = heading_turned_deg(*corners, (1200, 900), wrong_focal_px)
    assert (turn_deg - (after_deg - before_deg) + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
    with pytest.raises(CannotLocate, match="camera or mat was moved"):
        turned_deg(*corners)


def test_a_camera_that_looks_straight_down_tells_the_turn_as_well(renderer: Renderer) -> None:
    assert MAT is not None
    corners = [mat_corners(photo(renderer, angle_deg, elevation_deg=88.0), MAT) for angle_deg in (30.0, -75.25)]
    turn_deg = heading_turned_deg(corners[0], corners[1], (1200, 900), 2290.4 * 1200 / 1600)
    assert (turn_deg + 105.25 + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
