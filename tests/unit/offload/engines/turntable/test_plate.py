"""A photo of the empty table is used from where it was taken, and from nowhere else."""

import cv2
import numpy as np
import pytest

from offload.engines.turntable.background import StaticBackground
from offload.engines.turntable.mat import NOTHING_SEEN, Mat, MatObservation
from offload.engines.turntable.plate import Plate, mat_off_px, room_alike, why_not
from offload.engines.turntable.turntable_model import TurntableModel
from offload.geometry.lens import Lens
from offload.geometry.turntable import Stand
from offload.wire.bundle import MatSpec

MAT = Mat(MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5))
LENS = Lens(1600, 1200, 2290.0, 1.0, (799.5, 599.5))
WIDTH, HEIGHT = 800, 600


def turntable(elevation_deg: float = 30.0, angle_deg: float = 0.0, offset_mm: float = 0.0) -> TurntableModel:
    elevation = np.deg2rad(elevation_deg)
    eye = np.array([0, -480 * np.cos(elevation), 67.5 + 480 * np.sin(elevation)])
    forward = np.array([0, 0, 67.5]) - eye
    forward /= np.linalg.norm(forward)
    right = np.array([1.0, 0, 0])
    R0 = np.stack([right, np.cross(forward, right), forward])
    stand = Stand(R0, -R0 @ eye, np.eye(3), np.array([offset_mm, 0.0]))
    return TurntableModel(LENS, stand, np.deg2rad([angle_deg]))


def sighting(model: TurntableModel) -> MatObservation:
    points = MAT.corners_mm
    return MatObservation(points, model.project(0, points), np.arange(len(points)), usable=True)


def room(shift_px: int = 0, brightness: float = 1.0) -> np.ndarray:
    """A wall with things on it, as an 800x600 photo."""
    rng = np.random.default_rng(4)
    wide = cv2.resize(rng.random((60, 100, 3)).astype(np.float32), (1000, HEIGHT), interpolation=cv2.INTER_CUBIC)
    part = wide[:, shift_px : shift_px + WIDTH]
    return np.clip((60 + 120 * part) * brightness, 0, 255).astype(np.uint8)


def still(picture: np.ndarray) -> StaticBackground:
    everywhere = np.ones(picture.shape[:2], bool)
    return StaticBackground(picture, everywhere, everywhere)


@pytest.mark.parametrize("angle_deg", [0.0, 77.0, 181.5, 340.0])
def test_the_platter_may_stand_at_any_angle(angle_deg: float) -> None:
    plate = Plate(still(room()), sighting(turntable(angle_deg=angle_deg)), 0.5)
    assert mat_off_px(plate, turntable()) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("elevation_deg", "least_px"), [(31.0, 1.5), (55.0, 40.0)])
def test_another_height_shows_in_the_mat(elevation_deg: float, least_px: float) -> None:
    plate = Plate(still(room()), sighting(turntable(elevation_deg)), 0.5)
    off_px = mat_off_px(plate, turntable())
    assert off_px is not None
    assert off_px > least_px


def test_a_camera_that_was_moved_is_told_with_both_numbers() -> None:
    plate = Plate(still(room(shift_px=40)), sighting(turntable(45.0)), 0.5)
    reason = why_not(plate, turntable(), still(room()))
    assert reason is not None
    assert "% of the room behind look as in the photos, and its mat is" in reason


def test_a_mat_laid_down_anew_does_not_matter_where_the_room_is_the_same() -> None:
    plate = Plate(still(room()), sighting(turntable(offset_mm=20.0)), 0.5)
    assert why_not(plate, turntable(), still(room(brightness=0.8))) is None


@pytest.mark.parametrize(("shift_px", "fits"), [(0, True), (25, False)])
def test_without_a_mat_in_the_plate_the_room_decides(shift_px: int, fits: bool) -> None:
    plate = Plate(still(room(shift_px)), NOTHING_SEEN, 0.5)
    assert (why_not(plate, turntable(), still(room())) is None) == fits


def test_a_round_plain_object_in_all_photos_is_no_other_room() -> None:
    photos = cv2.circle(room().copy(), (400, 330), 140, (200, 200, 210), -1)
    alike = room_alike(still(room()), still(photos))
    assert alike is not None
    assert alike > 0.9


def test_nothing_to_be_seen_behind_tells_nothing() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert room_alike(still(grey), still(grey)) is None
    assert why_not(Plate(still(grey), NOTHING_SEEN, 0.5), turntable(), still(grey)) is None
    moved = why_not(Plate(still(grey), sighting(turntable(45.0)), 0.5), turntable(), still(grey))
    assert moved is not None
    assert moved.startswith("its mat is")
