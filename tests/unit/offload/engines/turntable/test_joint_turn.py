"""Two cameras that watch one turn of the platter."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from offload.engines.turntable.calibrate import Camera
from offload.engines.turntable.mat import NOTHING_SEEN, Mat, MatObservation
from offload.engines.turntable.stands import CalibratedPhotos, SeenPhoto, SizedCamera, StandKey, calibrate_stands
from offload.engines.turntable.turntable_model import TurntableModel
from offload.geometry.lens import Lens
from offload.geometry.turntable import Stand
from offload.wire.bundle import MatSpec

MAT = Mat(MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5))
LENSES = (
    Lens(1600, 1200, 2290.4, 1.0, (806.8, 595.4), (-0.08, 0.05, 0.0003, -0.0002, 0.0)),
    Lens(1280, 960, 1500.0, 1.0, (635.0, 485.0), (0.05, -0.03, 0.0, 0.0, 0.0)),
)
ELEVATIONS_DEG = (25.0, 55.0)
STOPS = 16
OBJECT_MM = np.array([[x, y, z] for x in (-40, 40) for y in (-40, 40) for z in (0, 70, 140)], np.float64)


def turn_of(camera: int, off_deg: dict[int, float] | None = None) -> TurntableModel:
    """One camera's view of the platter, which stops `off_deg` away from where it was told to."""
    elevation = np.deg2rad(ELEVATIONS_DEG[camera])
    eye = np.array([0, -450 * np.cos(elevation), 67.5 + 450 * np.sin(elevation)])
    forward = np.array([0, 0, 67.5]) - eye
    forward /= np.linalg.norm(forward)
    right = np.array([1.0, 0, 0])
    R0 = np.stack([right, np.cross(forward, right), forward])
    angles_deg = 360.0 * np.arange(STOPS) / STOPS + np.random.default_rng(1).normal(0, 0.05, STOPS)
    for stop, off in (off_deg or {}).items():
        angles_deg[stop] += off
    tilt = cv2.Rodrigues(np.array([0.004, -0.003, 0.0]))[0]
    return TurntableModel(LENSES[camera], Stand(R0, -R0 @ eye, tilt, np.array([1.7, -0.9])), np.deg2rad(angles_deg))


def sightings(model: TurntableModel, seed: int) -> list[MatObservation]:
    rng = np.random.default_rng(seed)
    size = np.array([model.lens.width_px, model.lens.height_px])
    seen = []
    for view in range(STOPS):
        points = MAT.corners_mm[np.linalg.norm(MAT.corners_mm, axis=1) > 75]
        pixels = model.project(view, points) + rng.normal(0, 0.1, (len(points), 2))
        inside = ((pixels > 5) & (pixels < size - 5)).all(axis=1)
        seen.append(MatObservation(points[inside], pixels[inside], np.flatnonzero(inside), usable=True))
    return seen


def calibrated(*seen: list[MatObservation]) -> CalibratedPhotos:
    """Each camera's photos one after the other; the data sheets are 5 % off."""
    photos = [
        SeenPhoto(f"{camera}/{stop:04d}.jpg", one, 360.0 * stop / STOPS, StandKey(camera, 0))
        for camera, own in enumerate(seen)
        for stop, one in enumerate(own)
    ]
    cameras = {
        number: SizedCamera(name, (lens.width_px, lens.height_px), Camera(1.05 * lens.focal_px))
        for number, (name, lens) in enumerate(zip(("first", "top"), LENSES, strict=True))
    }
    return calibrate_stands(photos, cameras)


def off_px(found: CalibratedPhotos, number: int, model: TurntableModel, stop: int) -> float:
    """How far a point of the object appears from where it truly does, at most."""
    place = found.kept.index(number)
    here = OBJECT_MM @ found.R[place].T + found.t_mm[place]
    pixels = cv2.projectPoints(here, np.zeros(3), np.zeros(3), found.K[place], found.distortion[place])[0][:, 0]
    return float(np.abs(pixels - model.lens.project(model.pose(stop).apply(OBJECT_MM))).max())


def test_each_camera_has_its_own_lens_and_place_in_one_frame() -> None:
    models = [turn_of(0), turn_of(1)]
    found = calibrated(*(sightings(model, seed) for seed, model in enumerate(models)))
    assert (found.kept, found.lost, found.warnings) == (list(range(2 * STOPS)), {}, ())
    assert found.K[0, 0, 0] == pytest.approx(LENSES[0].focal_px, rel=5e-3)
    assert found.K[STOPS, 0, 0] == pytest.approx(LENSES[1].focal_px, rel=1e-2)
    for number in found.kept:
        assert off_px(found, number, models[number // STOPS], number % STOPS) < 1.5
    first, second = (found.turntables[StandKey(camera, 0)] for camera in (0, 1))
    assert np.array_equal(first.stand.tilt, second.stand.tilt)
    assert np.array_equal(first.angles_rad, second.angles_rad)


def test_what_one_camera_cannot_see_the_other_tells() -> None:
    slip = {5: 0.6}
    models = [turn_of(0, slip), turn_of(1, slip)]
    seen = [sightings(model, seed) for seed, model in enumerate(models)]
    seen[0][5] = NOTHING_SEEN
    found = calibrated(*seen)
    assert off_px(found, 5, models[0], 5) < 1.5, "half a degree would be five pixels"
    assert not any("0/0005.jpg shows" in warning for warning in found.warnings)


def test_a_stop_that_was_visited_again_is_another_stop() -> None:
    models = [turn_of(0), turn_of(1, {3: 0.4})]
    found = calibrated(*(sightings(model, seed) for seed, model in enumerate(models)))
    for number in (3, STOPS + 3):
        assert off_px(found, number, models[number // STOPS], 3) < 1.5


def test_a_mat_that_lay_elsewhere_for_the_other_camera_is_told_and_each_taken_alone() -> None:
    elsewhere = turn_of(1)
    moved = replace(elsewhere, stand=replace(elsewhere.stand, offset_mm=np.array([9.0, 6.0])))
    models = [turn_of(0), moved]
    found = calibrated(*(sightings(model, seed) for seed, model in enumerate(models)))
    assert any("each was taken by itself" in warning for warning in found.warnings)
    for number in found.kept:
        assert off_px(found, number, models[number // STOPS], number % STOPS) < 1.5


def test_a_camera_that_shows_no_mat_is_left_out_by_name() -> None:
    found = calibrated(sightings(turn_of(0), 0), [NOTHING_SEEN] * STOPS)
    assert found.kept == list(range(STOPS))
    assert "ring 1 of camera top was left out: the mat is visible enough in 0 of 16" in found.lost["1/0000.jpg"]
