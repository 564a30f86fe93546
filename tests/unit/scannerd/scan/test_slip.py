"""Lost steps, found on the mat: corners as the bench's own lens shows them, with noise, wrong ones, and none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from drivers.bench.scene import Scene, SceneCamera, SceneObject
from drivers.bench.truth import true_pose
from offload.wire.bundle import CameraModel, MatSpec
from offload.wire.sidecar import FrameSidecar, SeenMat
from scannerd.config import MatSection
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.plan import ScanPlan, viewpoints_on
from scannerd.scan.platter_view import CannotTell, PlatterView, Reference
from scannerd.scan.slip import SlipVerdict, SlipWatch

WIDTH_PX, HEIGHT_PX = 1600, 1200
NOISE_PX = 0.1
MAT = MatSection().spec() or MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5)
TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1]], np.float32)
SCENE = Scene(SceneObject(TRIANGLE, np.array([[0, 1, 2]], np.uint32)), None)

Read = Callable[[float], MatReading]


def plan(views: int = 36, rings: int = 1, mat: MatSpec | None = MAT) -> ScanPlan:
    return ScanPlan(
        scan_id="cup",
        created_at=datetime.now(UTC),
        device="bench",
        camera=CameraModel(make="bench", model="bench", focal_length_mm=9, pixel_pitch_um=3),
        photo_width_px=WIDTH_PX,
        photo_height_px=HEIGHT_PX,
        jpeg_quality=90,
        exposure_us=20_000,
        analogue_gain=1,
        settle_s=0.3,
        max_retakes=3,
        mat=mat,
        viewpoints=viewpoints_on(views, rings),
    )


def sidecar(index: int, seen: MatReading, seen_deg: float | None) -> FrameSidecar:
    """As it is stored with the photo of a viewpoint that was reached."""
    return FrameSidecar(
        index=index,
        verdict="accept",
        reason="",
        commanded_angle_deg=index * 10.0,
        seen_angle_deg=seen_deg,
        exposure_us=20_000,
        analogue_gain=1,
        mat=SeenMat(numbers=tuple(seen.numbers.tolist()), pixels=tuple(map(tuple, seen.pixels.tolist()))),
    )


def reading(angle_deg: float, scene: Scene = SCENE, seed: int = 0, hidden: float = 0.4) -> MatReading:
    """The corners that the bench's camera sees with the platter at this angle; some are hidden by the object."""
    rng = np.random.default_rng([seed, round(angle_deg * 1000) % 2**31])
    points = MatReader(MAT).corners_mm
    R, t = true_pose(scene, angle_deg)
    K = scene.camera.matrix_px(WIDTH_PX, HEIGHT_PX)
    space = np.column_stack([points, np.zeros(len(points))])
    seen, _ = cv2.projectPoints(space, cv2.Rodrigues(R)[0], t, K, np.array(scene.camera.distortion))
    pixels = seen.reshape(-1, 2) + rng.normal(0, NOISE_PX, (len(points), 2))
    inside = ((pixels >= 0) & (pixels < [WIDTH_PX, HEIGHT_PX])).all(axis=1) & (rng.random(len(points)) > hidden)
    return MatReading(np.flatnonzero(inside), pixels[inside])


def scan(watch: SlipWatch, slips_deg: dict[int, float], views: int = 36) -> list[tuple[float, SlipVerdict]]:
    """Turn a simulated platter once round; `slips_deg` happen on the way to these viewpoints. True angle, verdict."""
    told, offset_deg, true_less_axis_deg = [], 0.0, 0.0
    for index in range(views):
        axis_deg = index * 360 / views - offset_deg
        true_less_axis_deg += slips_deg.get(index, 0.0)
        true_deg = axis_deg + true_less_axis_deg
        verdict = watch.see(index, axis_deg + offset_deg, reading(true_deg), offset_deg)
        offset_deg = verdict.offset_deg if verdict.correct else offset_deg
        told.append((true_deg, verdict))
    return told


def test_a_platter_that_turns_as_told_slips_nowhere() -> None:
    told = scan(SlipWatch(plan()), {})
    assert not any(verdict.correct or verdict.warning for _, verdict in told)
    errors_deg = [(verdict.seen_deg or 0.0) - true_deg for true_deg, verdict in told]
    assert max(map(abs, errors_deg)) < 0.02


@pytest.mark.parametrize("slip_deg", [0.35, -0.4, -0.9, 2.4, -5.0])
def test_a_slip_is_found_where_it_happened_and_later_photos_are_right_again(slip_deg: float) -> None:
    told = scan(SlipWatch(plan()), {7: slip_deg})
    assert [index for index, (_, verdict) in enumerate(told) if verdict.correct] == [7]
    assert told[7][1].slipped_deg == pytest.approx(slip_deg, abs=0.03)
    for index, (true_deg, verdict) in enumerate(told):
        assert verdict.seen_deg == pytest.approx(true_deg, abs=0.03)
        if index > 7:
            assert true_deg == pytest.approx(index * 10, abs=0.03)


def test_less_than_the_limit_is_seen_but_not_corrected() -> None:
    told = scan(SlipWatch(plan()), {7: -0.2})
    assert not any(verdict.correct for _, verdict in told)
    assert told[9][1].slipped_deg == pytest.approx(-0.2, abs=0.03)


def test_small_slips_that_add_up_are_corrected() -> None:
    told = scan(SlipWatch(plan()), {7: -0.2, 12: -0.2})
    assert [index for index, (_, verdict) in enumerate(told) if verdict.correct] == [12]


def test_a_photo_on_its_way_when_the_correction_came_is_not_corrected_again() -> None:
    watch = SlipWatch(plan())
    for index in range(3):
        watch.see(index, index * 10.0, reading(index * 10.0))
    first = watch.see(3, 30.0, reading(29.0))
    overlapped = watch.see(4, 40.0, reading(39.0), offset_deg=0.0)
    corrected = watch.see(5, 50.0, reading(50.0), offset_deg=first.offset_deg)
    assert first.correct
    assert first.offset_deg == pytest.approx(-1.0, abs=0.03)
    assert not overlapped.correct
    assert overlapped.seen_deg == pytest.approx(39.0, abs=0.03)
    assert not corrected.correct


def test_a_platter_that_does_not_turn_is_jammed_not_slipped() -> None:
    told = scan(SlipWatch(plan()), {5: -10.0})
    assert told[5][1].jammed
    assert told[5][1].offset_deg == pytest.approx(-10.0, abs=0.03)
    assert not scan(SlipWatch(plan()), {5: -5.0})[5][1].jammed


def test_slips_that_grow_the_same_way_are_a_trend_with_numbers() -> None:
    told = scan(SlipWatch(plan(), max_speed_deg_s=60), {4: -0.4, 9: -0.8, 14: -1.6})
    warnings = [verdict.warning for _, verdict in told if verdict.warning]
    assert warnings == [
        "the platter fell behind 3 times within 11 photos, at last by 0.4°, 0.8°, 1.6°, more each time; the motor "
        "loses steps at [turntable] max_speed_deg_s = 60: try 42, or take weight off the platter"
    ]


def test_a_platter_that_coasts_gets_another_advice() -> None:
    told = scan(SlipWatch(plan()), {4: 0.8, 9: 0.5, 14: 0.7})
    warnings = [verdict.warning for _, verdict in told if verdict.warning]
    assert len(warnings) == 1
    assert "ran ahead 3 times" in warnings[0]
    assert "acceleration_deg_s2" in warnings[0]


def test_slips_either_way_point_at_something_loose() -> None:
    told = scan(SlipWatch(plan()), {4: 0.8, 9: -0.5, 14: 0.7, 20: -0.6})
    assert "either way" in next(verdict.warning for _, verdict in told if verdict.warning)


def test_each_ring_counts_from_its_own_first_photo() -> None:
    watch = SlipWatch(plan(views=6, rings=2))
    high = replace(SCENE, camera=SceneCamera(elevation_deg=50))
    for index in range(6):
        watch.see(index, index * 60.0, reading(index * 60.0))
    for number in range(6):
        angle_deg = 360 + 30 + number * 60.0
        # Somebody moved the camera, and the platter's angle in the new pictures counts from their first.
        verdict = watch.see(6 + number, angle_deg, reading(angle_deg, high))
        assert verdict.seen_deg == pytest.approx(angle_deg, abs=0.03)
        assert not verdict.correct


def test_a_resumed_scan_counts_from_the_photos_of_the_run_before() -> None:
    first, second = SlipWatch(plan()), SlipWatch(plan())
    for index in range(4):
        seen = reading(index * 10.0)
        verdict = first.see(index, index * 10.0, seen)
        second.remember(sidecar(index, seen, verdict.seen_deg))
    second.recount(-2.7, 30.0)
    verdict = second.see(4, 40.0, reading(37.3), offset_deg=-2.7)
    assert verdict.seen_deg == pytest.approx(37.3, abs=0.03)
    assert verdict.correct
    assert not second.see(5, 50.0, reading(50.0), offset_deg=verdict.offset_deg).correct


def test_a_stored_photo_that_shows_little_of_the_mat_says_as_little_after_a_restart() -> None:
    watch = SlipWatch(plan())
    little = MatReading(reading(0.0).numbers[:9], reading(0.0).pixels[:9])
    watch.remember(sidecar(0, little, None))
    verdict = watch.see(1, 10.0, reading(10.0))
    assert verdict.seen_deg == pytest.approx(10.0, abs=0.03)


def test_without_a_mat_nothing_is_claimed() -> None:
    watch = SlipWatch(plan(mat=None))
    verdict = watch.see(0, 0.0, None)
    assert (verdict.seen_deg, verdict.correct, verdict.warning) == (None, False, None)
    assert verdict.unread == "too little of the mat is seen"


def test_too_few_corners_claim_nothing() -> None:
    watch = SlipWatch(plan())
    watch.see(0, 0.0, reading(0.0))
    seen = reading(5.0)
    verdict = watch.see(1, 10.0, MatReading(seen.numbers[:8], seen.pixels[:8]))
    assert (verdict.seen_deg, verdict.correct) == (None, False)
    assert verdict.unread == "8 corners of the mat seen, 12 needed"


def test_a_camera_that_was_moved_is_no_slip() -> None:
    watch = SlipWatch(plan())
    watch.see(0, 0.0, reading(0.0))
    for camera in (SceneCamera(elevation_deg=38), SceneCamera(distance_mm=440), SceneCamera(target_height_mm=40)):
        verdict = watch.see(1, 10.0, reading(10.0, replace(SCENE, camera=camera)))
        assert (verdict.seen_deg, verdict.correct) == (None, False)
        assert "camera or mat was moved" in (verdict.unread or "")


def test_wrong_corners_among_many_change_nothing() -> None:
    seen = reading(25.0)
    pixels = seen.pixels.copy()
    pixels[::9] += [14.0, -9.0]
    view = PlatterView(MAT, (WIDTH_PX, HEIGHT_PX), [Reference(0.0, reading(0.0))])
    assert view.angle(MatReading(seen.numbers, pixels), 20.0).angle_deg == pytest.approx(25.0, abs=0.05)


def test_a_turn_counts_on_beyond_a_whole_one() -> None:
    view = PlatterView(MAT, (WIDTH_PX, HEIGHT_PX), [Reference(0.0, reading(0.0))])
    assert view.angle(reading(725.0), 726.0).angle_deg == pytest.approx(725.0, abs=0.03)


def test_corners_that_lie_anywhere_show_no_plane() -> None:
    rng = np.random.default_rng(3)
    nonsense = MatReading(np.arange(40), rng.random((40, 2)) * 1000)
    with pytest.raises(CannotTell):
        PlatterView(MAT, (WIDTH_PX, HEIGHT_PX), [Reference(0.0, nonsense)])
