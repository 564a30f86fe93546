import cv2
import numpy as np
import pytest

from offload.engines.protocol import BadInput
from offload.engines.turntable.calibrate import Calibration, Camera, fit_stand, scaled_intrinsics
from offload.engines.turntable.mat import NOTHING_SEEN, Mat, MatObservation
from offload.engines.turntable.stands import CalibratedPhotos, SeenPhoto, SizedCamera, StandKey, calibrate_stands
from offload.engines.turntable.turntable_model import SHARED_COUNT, TurntableModel
from offload.geometry.lens import Lens
from offload.geometry.turntable import Stand, turned
from offload.wire.bundle import Intrinsics, MatSpec

SIZE_PX = (1600, 1200)
MAT = Mat(MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5))
TRUE_LENS = (-0.08, 0.05, 0.0003, -0.0002, 0.0)
OBJECT_MM = np.array([[x, y, z] for x in (-40, 40) for y in (-40, 40) for z in (0, 70, 140)], np.float64)


def truth(
    views: int,
    *,
    centre_off_px: tuple[float, float] = (7.3, -4.1),
    jitter_deg: float = 0.05,
    elevation_deg: float = 30.0,
) -> TurntableModel:
    elevation = np.deg2rad(elevation_deg)
    eye = np.array([0, -480 * np.cos(elevation), 67.5 + 480 * np.sin(elevation)])
    forward = np.array([0, 0, 67.5]) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    R0 = np.stack([right, np.cross(forward, right), forward])
    jitter = np.random.default_rng(1).normal(0, np.deg2rad(jitter_deg), views)
    centre_px = (799.5 + centre_off_px[0], 599.5 + centre_off_px[1])
    tilt = cv2.Rodrigues(np.array([0.004, -0.003, 0.0]))[0]
    return TurntableModel(
        Lens(*SIZE_PX, 2290.4, 1.0, centre_px, TRUE_LENS),
        Stand(R0, -R0 @ eye, tilt, np.array([1.7, -0.9])),
        2 * np.pi * np.arange(views) / views + jitter,
    )


def commanded_deg(views: int) -> np.ndarray:
    return 360.0 * np.arange(views) / views


def sightings(model: TurntableModel, noise_px: float = 0.12) -> list[MatObservation]:
    """Corners in the picture that no object of 120 mm hides, with noise."""
    rng = np.random.default_rng(2)
    seen = []
    for view in range(len(model.angles_rad)):
        points = MAT.corners_mm[np.linalg.norm(MAT.corners_mm, axis=1) > 75]
        pixels = model.project(view, points)
        inside = ((pixels > 5) & (pixels < np.array(SIZE_PX) - 5)).all(axis=1) & (rng.random(len(points)) < 0.7)
        noisy = pixels[inside] + rng.normal(0, noise_px, (int(inside.sum()), 2))
        seen.append(MatObservation(points[inside], noisy, np.flatnonzero(inside), usable=True))
    return seen


def names(views: int) -> list[str]:
    return [f"{view:04d}.jpg" for view in range(views)]


def scale_error(found: Calibration, model: TurntableModel) -> float:
    """Triangulate known points of the object from what the true camera sees; compare sizes."""
    normal, right = np.zeros((len(OBJECT_MM), 3, 3)), np.zeros((len(OBJECT_MM), 3))
    for view in range(len(model.angles_rad)):
        pixels = model.lens.project(model.pose(view).apply(OBJECT_MM))[:, None]
        rays = cv2.undistortPoints(pixels, found.K, found.distortion)[:, 0]
        directions = np.column_stack([rays, np.ones(len(rays))]) @ found.R[view]
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        across = np.eye(3) - directions[:, :, None] * directions[:, None]
        normal += across
        right += across @ (-found.R[view].T @ found.t_mm[view])
    points = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    return float(np.ptp(points, axis=0).mean() / np.ptp(OBJECT_MM, axis=0).mean() - 1)


def test_jacobian_is_the_derivative() -> None:
    model = truth(8)
    points = MAT.corners_mm[::17]
    _, jacobian = model.project_with_jacobian(3, points)
    step = 1e-5
    for column in range(SHARED_COUNT + 1):
        shared, angles = np.zeros(SHARED_COUNT), np.zeros(8)
        (angles if column == SHARED_COUNT else shared)[3 if column == SHARED_COUNT else column] = step
        numeric = (
            model.moved(shared, angles).project(3, points) - model.moved(-shared, -angles).project(3, points)
        ) / (2 * step)
        assert jacobian[:, :, column] == pytest.approx(numeric, rel=1e-4, abs=1e-3), column


@pytest.mark.parametrize("first_focal_px", [1700.0, 2290.0, 3300.0])
def test_self_calibration_finds_focal_length_poses_and_scale(first_focal_px: float) -> None:
    model = truth(36)
    found = fit_stand(names(36), sightings(model), commanded_deg(36), SIZE_PX, Camera(first_focal_px)).told()
    assert found.K[0, 0] == pytest.approx(model.lens.focal_px, rel=4e-3)
    assert abs(scale_error(found, model)) < 2e-3
    assert found.rms_px < 0.25
    assert not found.clockwise
    assert found.warnings == ()


def test_stored_intrinsics_are_kept_and_give_the_scale() -> None:
    model = truth(36)
    cx, cy = model.lens.centre_px
    stored = Intrinsics(
        width_px=1600, height_px=1200, fx_px=2290.4, fy_px=2290.4, cx_px=cx, cy_px=cy, distortion=TRUE_LENS
    )
    found = fit_stand(names(36), sightings(model), commanded_deg(36), SIZE_PX, Camera(9999.0, stored)).told()
    assert found.K[0, 0] == 2290.4
    assert found.distortion == pytest.approx(TRUE_LENS)
    assert abs(scale_error(found, model)) < 1.5e-4
    for view in range(36):
        assert found.R[view] == pytest.approx(model.pose(view).R, abs=2e-4)
        assert found.t_mm[view] == pytest.approx(model.pose(view).t_mm, abs=0.1)


def test_a_table_that_turns_the_other_way_is_found_and_told() -> None:
    model = truth(24)
    found = fit_stand(names(24), sightings(model), -commanded_deg(24), SIZE_PX, Camera(2290.0)).told()
    assert found.clockwise
    assert abs(scale_error(found, model)) < 2e-3
    assert "clockwise" in found.warnings[0]


def test_a_half_covered_mat_still_gives_the_scale() -> None:
    model = truth(36)
    half = [
        MatObservation(one.points_mm[left], one.pixels[left], one.ids[left], usable=True)
        for one in sightings(model)
        for left in [one.points_mm[:, 0] < 0]
    ]
    found = fit_stand(names(36), half, commanded_deg(36), SIZE_PX, Camera(2500.0)).told()
    assert abs(scale_error(found, model)) < 3e-3


def test_a_blind_view_takes_its_pose_from_the_table() -> None:
    model = truth(24, jitter_deg=0.0)
    seen = sightings(model)
    seen[7] = NOTHING_SEEN
    found = fit_stand(names(24), seen, commanded_deg(24), SIZE_PX, Camera(2290.0)).told()
    neighbour = found.R[6] @ turned(np.deg2rad(15))
    assert found.R[7] == pytest.approx(neighbour, abs=2e-3)
    assert any("0007.jpg" in warning for warning in found.warnings)


def test_lost_steps_are_seen_and_told() -> None:
    model = truth(24, jitter_deg=0.0)
    slipped = model.angles_rad.copy()
    slipped[12] += np.deg2rad(4.0)
    model = model.moved(np.zeros(SHARED_COUNT), slipped - model.angles_rad)
    found = fit_stand(names(24), sightings(model), commanded_deg(24), SIZE_PX, Camera(2290.0)).told()
    assert found.turned_deg[12] == pytest.approx(4.0, abs=0.05)
    assert any("0012.jpg" in warning and "stood +" in warning for warning in found.warnings)
    assert abs(scale_error(found, model)) < 2e-3


def test_wrong_corners_do_not_pull() -> None:
    model = truth(24)
    seen = sightings(model)
    for one in seen[::3]:
        one.pixels[:4] += 25.0
    found = fit_stand(names(24), seen, commanded_deg(24), SIZE_PX, Camera(2290.0)).told()
    assert abs(scale_error(found, model)) < 2e-3


def test_too_few_views_say_who_saw_what() -> None:
    seen = [NOTHING_SEEN] * 11 + sightings(truth(12))[:1]
    with pytest.raises(BadInput, match=r"1 of 12 photos, 4 are needed.*at least 12 corners.*0003\.jpg 0"):
        fit_stand(names(12), seen, commanded_deg(12), SIZE_PX, Camera(2290.0)).told()


def test_intrinsics_follow_the_size_of_the_photo() -> None:
    stored = Intrinsics(width_px=1600, height_px=1200, fx_px=2000, fy_px=2000, cx_px=799.5, cy_px=599.5)
    small = scaled_intrinsics(stored, 800, 600)
    assert (small.fx_px, small.cx_px, small.cy_px) == (1000, 399.5, 299.5)
    with pytest.raises(BadInput, match="1600x1200"):
        scaled_intrinsics(stored, 800, 800)


def of_rings(seen: list[MatObservation], angles_deg: np.ndarray, rings: list[int]) -> CalibratedPhotos:
    """One camera's photos."""
    told = zip(names(len(seen)), seen, angles_deg, rings, strict=True)
    photos = [SeenPhoto(name, one, float(angle_deg), StandKey(0, ring)) for name, one, angle_deg, ring in told]
    return calibrate_stands(photos, {0: SizedCamera("first", SIZE_PX, Camera(2300.0))})


def test_two_rings_are_two_cameras_with_one_lens_in_one_frame() -> None:
    low, high = truth(12), truth(8, elevation_deg=55)
    seen = [*sightings(low), *sightings(high)]
    rings, angles_deg = [0] * 12 + [1] * 8, np.concatenate([commanded_deg(12), 360 + commanded_deg(8)])
    both = of_rings(seen, angles_deg, rings)
    assert (both.kept, both.lost) == (list(range(20)), {})
    for view in both.kept:
        pose = low.pose(view) if view < 12 else high.pose(view - 12)
        found = OBJECT_MM @ both.R[view].T + both.t_mm[view]
        found_px = cv2.projectPoints(found, np.zeros(3), np.zeros(3), both.K[view], both.distortion[view])[0]
        true_px = low.lens.project(pose.apply(OBJECT_MM))[:, None]
        assert np.abs(found_px - true_px).max() < 1.5, f"photo {view}"
    one = fit_stand(names(12), seen[:12], angles_deg[:12], SIZE_PX, Camera(2300.0)).told()
    assert all(np.array_equal(K, one.K) for K in both.K), "the ring that shows most tells the lens"


def test_a_ring_that_shows_no_mat_is_left_out_with_the_reason() -> None:
    seen = [*sightings(truth(12)), *[NOTHING_SEEN] * 4]
    angles_deg = np.concatenate([commanded_deg(12), 360 + commanded_deg(4)])
    found = of_rings(seen, angles_deg, [0] * 12 + [1] * 4)
    assert found.kept == list(range(12))
    assert found.R.shape == (12, 3, 3)
    assert sorted(found.lost) == [f"{view:04d}.jpg" for view in range(12, 16)]
    assert "ring 2 was left out: the mat is visible enough in 0 of 4 photos" in found.lost["0012.jpg"]


def test_views_of_rings_may_come_in_any_order() -> None:
    low, high = truth(8), truth(8, elevation_deg=55)
    seen = [one for pair in zip(sightings(low), sightings(high), strict=True) for one in pair]
    angles_deg = np.repeat(commanded_deg(8), 2)
    found = of_rings(seen, angles_deg, [0, 1] * 8)
    assert found.kept == list(range(16))
    for view in range(16):
        eye, true_eye = -found.R[view].T @ found.t_mm[view], (low, high)[view % 2].pose(view // 2).centre_mm
        assert np.linalg.norm(eye - true_eye) < 3
