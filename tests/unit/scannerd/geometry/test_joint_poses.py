import dataclasses

import numpy as np
import pytest
from turntable_seen import CAMERA, HEIGHT_PX, MAT, WIDTH_PX, BenchTurn, object_points_mm, true_lens

from offload.geometry.lens import Lens
from offload.geometry.pose import Pose
from offload.wire.poses import PoseSource, ScanPoses
from scannerd.geometry.first_guess import first_stand
from scannerd.geometry.joint_poses import NoPoses, SeenFrame, joint_poses
from scannerd.geometry.mat_pose import MatCorners, camera_from_mat, corners_of
from scannerd.geometry.turntable_fit import Beliefs, Model, SeenView, fit

SIZE_PX = (WIDTH_PX, HEIGHT_PX)


def poses_of(frames: list[SeenFrame], *, stored: bool = False) -> ScanPoses:
    known = true_lens().intrinsics() if stored else None
    return joint_poses(frames, MAT, SIZE_PX, CAMERA, known)


def off_px(poses: ScanPoses, turns: list[BenchTurn]) -> np.ndarray:
    """How far points of an object appear from where they truly appear, (frames, points)."""
    lens, points = Lens.of(poses.intrinsics), object_points_mm()
    truth = [turn.true_pose(view) for turn in turns for view in range(turn.views)]
    return np.array(
        [
            np.linalg.norm(
                lens.project(points @ np.array(pose.R).T + np.array(pose.t_mm))
                - true_lens().project(truth[pose.index].apply(points)),
                axis=1,
            )
            for pose in poses.frames
        ]
    )


def test_one_turn_is_found_without_knowing_the_lens():
    turn = BenchTurn()
    poses = poses_of(turn.frames())
    assert off_px(poses, [turn]).max() < 0.5
    assert poses.intrinsics.fx_px == pytest.approx(2290.4, rel=0.004)
    assert poses.scale_source == "mat, self-calibrated"
    assert poses.turns[0].axis_foot_mm == pytest.approx((-1.7, 0.9), abs=0.02)
    assert poses.turns[0].camera_elevation_deg == pytest.approx(30, abs=0.2)
    assert {pose.source for pose in poses.frames} == {PoseSource.TURNTABLE}
    assert poses.warnings == ()


def test_a_stored_lens_is_believed_and_the_poses_are_the_true_ones():
    turn = BenchTurn()
    poses = poses_of(turn.frames(), stored=True)
    assert poses.intrinsics == true_lens().intrinsics()
    for pose in poses.frames:
        truth = turn.true_pose(pose.index)
        assert np.allclose(pose.R, truth.R, atol=2e-4)
        assert np.allclose(Pose(np.array(pose.R), np.array(pose.t_mm)).centre_mm, truth.centre_mm, atol=0.1)


def test_turns_of_different_elevation_also_show_the_principal_point():
    turns = [BenchTurn(20.0, ring=0), BenchTurn(45.0, ring=1)]
    poses = poses_of([*turns[0].frames(), *turns[1].frames(36)])
    assert off_px(poses, turns).max() < 0.3
    assert [turn.camera_elevation_deg for turn in poses.turns] == pytest.approx([20, 45], abs=0.1)
    assert poses.intrinsics.cy_px == pytest.approx(595.4, abs=2.0)


def test_wrong_readings_are_not_heard_and_a_slip_is_followed():
    turn = BenchTurn(slip_deg={20: 1.3})
    frames = turn.frames()
    mirrored = frames[7].corners
    frames[7] = dataclasses.replace(frames[7], corners=MatCorners(mirrored.points_mm * [-1, 1], mirrored.pixels))
    frames[8] = dataclasses.replace(frames[8], corners=frames[30].corners)
    frames[25] = dataclasses.replace(frames[25], corners=MatCorners(np.empty((0, 2)), np.empty((0, 2))))
    poses = poses_of(frames)
    told = {pose.index: pose for pose in poses.frames}
    assert told[25].source is PoseSource.COMMANDED
    assert told[25].rms_px is None
    wrong = off_px(poses, [turn]).max(axis=1)
    # Photo 8 shows another angle's mat: its pose is what it shows, as for a table that slipped.
    assert np.delete(wrong, [8]).max() < 0.5
    assert any("slip" in warning for warning in poses.warnings)
    assert any("25" in warning for warning in poses.warnings)


def test_a_camera_that_was_moved_in_the_middle_gives_these_photos_poses_of_their_own():
    turn, other = BenchTurn(), BenchTurn(elevation_deg=33.0)
    frames = turn.frames()
    frames[10:14] = other.frames()[10:14]
    poses = poses_of(frames)
    alone = {pose.index for pose in poses.frames if pose.source is PoseSource.ALONE}
    assert alone == {10, 11, 12, 13}
    assert any("10, 11, 12, 13" in warning for warning in poses.warnings)


def test_a_platter_that_turns_the_other_way_is_seen():
    frames = [dataclasses.replace(frame, commanded_deg=-frame.commanded_deg) for frame in BenchTurn().frames()]
    poses = poses_of(frames)
    assert poses.turns[0].clockwise
    assert "invert" in poses.warnings[0]
    assert off_px(poses, [BenchTurn()]).max() < 0.5


def test_too_few_photos_of_the_mat_say_what_is_missing():
    frames = BenchTurn(views=3).frames()
    with pytest.raises(NoPoses, match=r"3 of 3 photos show enough of the mat, 4 of one turn are needed"):
        poses_of(frames)


def test_a_turn_without_readings_leaves_its_photos_without_poses():
    seen = BenchTurn(ring=0)
    blind = [
        dataclasses.replace(frame, corners=MatCorners(np.empty((0, 2)), np.empty((0, 2))))
        for frame in BenchTurn(45.0, ring=1, views=5).frames(36)
    ]
    poses = poses_of([*seen.frames(), *blind])
    assert sorted(poses.without) == [36, 37, 38, 39, 40]
    assert len(poses.frames) == 36


def test_with_the_true_lens_a_free_fit_finds_the_true_camera():
    turn = BenchTurn(noise_px=0.0, views=6)
    frames = turn.frames()
    commanded = np.deg2rad([frame.commanded_deg for frame in frames])
    true = fit(
        Model(true_lens(), (_stand(frames),), commanded.copy()),
        [SeenView(0, frame.corners, float(angle)) for frame, angle in zip(frames, commanded, strict=True)],
        Beliefs(lens_is_free=False),
    )
    pose = true.stands[0].pose(float(true.angles_rad[2]))
    assert np.allclose(pose.apply(object_points_mm()), turn.true_pose(2).apply(object_points_mm()), atol=1e-3)


def _stand(frames):
    alone = {frame.index: camera_from_mat(frame.corners, true_lens()) for frame in frames}
    return first_stand(alone, {frame.index: np.deg2rad(frame.commanded_deg) for frame in frames})[0]


def test_one_photo_alone_gives_its_camera():
    turn = BenchTurn()
    pose = camera_from_mat(turn.frames()[5].corners, true_lens())
    assert pose is not None
    assert np.linalg.norm(pose.centre_mm - turn.true_pose(5).centre_mm) < 1.0


def test_numbers_that_the_mat_does_not_have_are_left_out():
    corners = corners_of(MAT, np.array([0, 195, 196, 900]), np.zeros((4, 2)))
    assert len(corners) == 2
    assert corners.points_mm.tolist() == [[-117, 117], [117, -117]]
