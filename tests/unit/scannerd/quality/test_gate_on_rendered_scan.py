"""The gate before a rendered turntable: the object is found, and what the world does to a photo is told."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneCamera, SceneObject
from drivers.picture import Planes
from drivers.protocols import Frame
from offload.wire.bundle import MatSpec, Place
from scannerd.config import QualitySection
from scannerd.quality.gate import Gate
from scannerd.quality.look import Aspect, Look, Remedy, Verdict
from scannerd.quality.mat_reading import MatReader

MAT = MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5)
SIZE_PX = (960, 720)
VIEWS = 6


def _bar() -> SceneObject:
    """A striped bar, off the axis, so that the background behind it is seen in other photos."""
    mesh = trimesh.creation.box((34.0, 60.0, 110.0)).subdivide_to_size(4.0)
    at = np.asarray(mesh.vertices) + np.array([12.0, 8.0, 55.0])
    dark = (np.sin(at[:, 2] / 5 + at[:, 0] / 9) > 0)[:, None]
    colours = np.where(dark, (0.5, 0.1, 0.05), (0.1, 0.35, 0.6)).astype(np.float32)
    faces = np.asarray(mesh.faces, np.uint32)
    return SceneObject(at.astype(np.float32), faces, vertex_colours=colours, height_mm=110.0)


def _frame(pixels: NDArray[np.uint8]) -> Frame:
    photo = Planes.from_rgb(pixels)
    return Frame(photo, photo.shrunk(SIZE_PX[0] // 2, SIZE_PX[1] // 2), 20_000.0, 1.0, 0.0)


def _exposure(angle_deg: float, **changes: Any) -> Exposure:
    return replace(Exposure(*SIZE_PX, (angle_deg,), noise_seed=round(angle_deg)), **changes)


@dataclass
class Stage:
    """A scan's first photos, and a renderer for the next."""

    renderer: Renderer
    gate: Gate
    looks: list[Look]
    frames: list[Frame]

    def judge(self, angle_deg: float, place: Place | None = None, **changes: Any) -> Look:
        frame = _frame(self.renderer.render(_exposure(angle_deg, **changes)))
        return self.gate.judge(frame, place or Place(index=VIEWS))


@pytest.fixture(scope="module")
def stage() -> Stage:
    renderer = Renderer(Scene(_bar(), charuco_mat()))
    gate, looks = Gate(QualitySection(), MAT), []
    frames = [_frame(renderer.render(_exposure(index * 360 / VIEWS))) for index in range(VIEWS)]
    for index, frame in enumerate(frames):
        look = gate.judge(frame, Place(index=index))
        gate.learn(look)
        looks.append(look)
    return Stage(renderer, gate, looks, frames)


def _scanned(gate: Gate, frames: list[Frame]) -> list[Look]:
    """Show frames to a gate as a scan does, which learns from what it keeps."""
    looks = []
    for index, frame in enumerate(frames):
        looks.append(gate.judge(frame, Place(index=index)))
        if looks[-1].verdict is Verdict.ACCEPT:
            gate.learn(looks[-1])
    return looks


def test_good_photos_are_accepted_from_the_first_on(stage: Stage) -> None:
    assert [(look.verdict, look.reason) for look in stage.looks if look.verdict is not Verdict.ACCEPT] == []


def test_the_mask_is_the_object_once_the_room_is_known(stage: Stage) -> None:
    assert [look.mask is None for look in stage.looks] == [True] * 4 + [False] * 2
    look = stage.judge(100.0)
    assert look.mask is not None
    truth = cv2.resize(stage.renderer.truth(*SIZE_PX, 100.0).mask, look.mask.shape[::-1]) > 127
    mask = look.mask > 0
    assert np.mean(mask[truth]) > 0.95, "the mask must not eat of the object"
    assert np.sum(mask & ~truth) < 0.25 * np.sum(truth)
    assert look.edges is not None
    assert look.edges[~mask].max() == 0


def test_corners_are_read_to_a_third_of_a_pixel(stage: Stage) -> None:
    view = stage.renderer.truth(*SIZE_PX, 0.0)
    reading = stage.looks[0].mat
    assert reading is not None
    places = np.column_stack([MatReader(MAT).corners_mm[reading.numbers], np.zeros(len(reading.numbers))])
    seen, _ = cv2.projectPoints(places, cv2.Rodrigues(view.R)[0], view.t, view.K, view.distortion)
    error_px = np.linalg.norm(seen.reshape(-1, 2) - reading.pixels, axis=1)
    assert len(reading.numbers) > 40
    assert np.median(error_px) < 0.33


def test_a_photo_out_of_focus_is_taken_again(stage: Stage) -> None:
    look = stage.judge(20.0, focus_dioptres=5.5)
    assert (look.verdict, look.remedy) == (Verdict.RETAKE, Remedy.REFOCUS)
    assert Aspect.PRINT in look.faults
    assert look.reason.endswith("out of focus")


def test_a_platter_that_turns_is_waited_for(stage: Stage) -> None:
    look = stage.judge(20.0, platter_angles_deg=tuple(np.linspace(19.2, 20.8, 9).tolist()))
    assert (look.verdict, look.remedy) == (Verdict.RETAKE, Remedy.WAIT)
    assert look.reason.endswith("the table still moved")


@pytest.mark.parametrize("brightness", [0.8, 1.2])
def test_light_that_changed_is_told_by_its_factor(stage: Stage, brightness: float) -> None:
    look = stage.judge(20.0, brightness=brightness)
    assert look.verdict is Verdict.RETAKE
    (drift,) = [finding for finding in look.findings if finding.aspect is Aspect.DRIFT]
    assert drift.value == pytest.approx(brightness, abs=0.03)


def test_burnt_and_dark_photos_are_asked_about(stage: Stage) -> None:
    assert Aspect.CLIPPED in stage.judge(20.0, brightness=6.0).faults
    dark = stage.judge(20.0, exposure_us=1500.0)
    assert dark.verdict is Verdict.ASK
    assert Aspect.DARK in dark.faults


def test_brackets_are_held_to_what_they_are(stage: Stage) -> None:
    brighter = stage.judge(20.0, Place(index=9, exposure_ev=1.0), exposure_us=40_000.0)
    nearer = stage.judge(20.0, Place(index=9, focus_offset_dioptres=2.5), focus_dioptres=4.6)
    assert [look.reason for look in (brighter, nearer) if look.verdict is not Verdict.ACCEPT] == []


def test_a_camera_that_was_bumped_is_told_by_the_outline_it_cuts(stage: Stage) -> None:
    bumped = Renderer(Scene(_bar(), charuco_mat(), replace(SceneCamera(), target_height_mm=-40.0)))
    frame = _frame(bumped.render(_exposure(30.0)))
    look = stage.gate.judge(frame, Place(index=VIEWS))
    assert look.verdict is not Verdict.ACCEPT
    assert Aspect.CUT_OFF in look.faults


def _bumped(target_height_mm: float) -> Renderer:
    return Renderer(Scene(_bar(), charuco_mat(), replace(SceneCamera(), target_height_mm=target_height_mm)))


def _later_frames(stage: Stage, *angles_deg: float) -> list[Frame]:
    return [_frame(stage.renderer.render(_exposure(angle_deg))) for angle_deg in angles_deg]


def test_a_first_photo_from_a_bumped_camera_is_named_once_later_ones_agree(stage: Stage) -> None:
    bumped = _frame(_bumped(-25.0).render(_exposure(0.0)))
    frames = [bumped, *stage.frames, *_later_frames(stage, 20.0, 40.0, 80.0)]
    looks = _scanned(Gate(QualitySection(), MAT), frames)
    assert [(look.verdict, look.reason) for look in looks if look.verdict is not Verdict.ACCEPT] == []
    (told,) = [thought for look in looks for thought in look.afterthoughts]
    assert told.place == Place(index=0)
    assert told.finding.aspect is Aspect.STAND
    assert told.finding.value > told.finding.limit


def test_good_first_photos_stay_good(stage: Stage) -> None:
    looks = _scanned(Gate(QualitySection(), MAT), [*stage.frames, *_later_frames(stage, 20.0, 40.0, 80.0)])
    assert [look.afterthoughts for look in looks if look.afterthoughts] == []


def test_what_a_person_wants_is_not_asked_again() -> None:
    renderer = Renderer(Scene(_bar(), charuco_mat(), replace(SceneCamera(), focal_px_at_1600=6000.0)))
    gate = Gate(QualitySection(), MAT)
    frames = [_frame(renderer.render(_exposure(angle_deg))) for angle_deg in (0.0, 60.0)]
    first = gate.judge(frames[0], Place(index=0))
    assert Aspect.CUT_OFF in first.faults
    gate.tolerate_exposure()
    assert gate.judge(frames[1], Place(index=1)).verdict is not Verdict.ASK
