"""The judge must find the errors that were put in."""

import numpy as np
import pytest
import trimesh

from drivers.bench.judge import ViewPoint, is_watertight, judge, scale_error_percent
from drivers.bench.picture.rays import camera_pose, turn_about_z
from drivers.bench.scene import SceneCamera, SceneObject
from drivers.bench.triangles import TriangleSoup

_RADIUS_MM, _CENTRE_MM = 50.0, np.array([0.0, 0.0, 60.0])


def _sphere(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(5, _RADIUS_MM * scale)
    return ball.vertices + _CENTRE_MM, ball.faces


def _thing() -> SceneObject:
    vertices, faces = _sphere()
    return SceneObject(vertices.astype(np.float32), faces.astype(np.uint32))


def _ring(views: int = 12) -> list[ViewPoint]:
    camera = SceneCamera()
    pose = camera_pose(camera)
    K = camera.matrix_px(1600, 1200)
    return [ViewPoint(K, pose.R @ turn_about_z(360 * i / views), pose.t, 1600, 1200) for i in range(views)]


def test_a_sphere_one_percent_too_large_is_half_a_millimetre_off() -> None:
    verdict = judge(*_sphere(1.01), _thing(), _ring())
    for distance_mm in (verdict.accuracy_mean_mm, verdict.accuracy_p95_mm, verdict.completeness_mean_mm):
        assert distance_mm == pytest.approx(0.5, abs=0.03)
    assert verdict.f_score_1mm == 1.0
    assert verdict.visible_within_1mm == 1.0
    assert verdict.scale_error_percent is None
    assert verdict.watertight


def test_half_a_sphere_is_accurate_but_not_complete() -> None:
    vertices, faces = _sphere()
    verdict = judge(vertices, faces[vertices[faces][:, :, 0].mean(axis=1) < 0], _thing(), _ring())
    assert verdict.accuracy_mean_mm < 0.01
    # the mean distance from the missing half to the rim: the chord 2 r sin(a/2), over the hemisphere
    angle = np.linspace(0, np.pi / 2, 2000)
    missing_mm = np.trapezoid(2 * _RADIUS_MM * np.sin((np.pi / 2 - angle) / 2) * np.sin(angle), angle)
    assert verdict.completeness_mean_mm == pytest.approx(missing_mm / 2, rel=0.02)
    assert verdict.f_score_1mm == pytest.approx(2 * 0.51 / 1.51, abs=0.01)
    assert 0.4 < verdict.visible_within_1mm < 0.6
    assert not verdict.watertight


def test_what_no_camera_sees_does_not_lower_the_visible_share() -> None:
    vertices, faces = _sphere()
    above = vertices[faces][:, :, 2].mean(axis=1) > 16.0  # the cameras look down: they miss a cap below
    verdict = judge(vertices, faces[above], _thing(), _ring())
    assert verdict.completeness_p95_mm > 0.5
    assert verdict.visible_within_1mm > 0.99


def test_scale_error_is_the_rings() -> None:
    cameras = _ring()
    centres = np.array([camera.centre_mm for camera in cameras])
    assert scale_error_percent(cameras, centres * 1.002 + 5.0) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="3 estimated cameras for 12 true ones"):
        scale_error_percent(cameras, centres[:3])


def test_distances_are_exact_for_triangles_of_very_different_size() -> None:
    corners = np.array([[[0, 0, 0], [100, 0, 0], [0, 100, 0]], [[0, 0, 9], [1, 0, 9], [0, 1, 9]]], float)
    points = np.array([[20, 20, 3], [-3, -4, 0], [0.2, 0.2, 8], [60, 60, 0], [200, 0, 0]], float)
    expected = [3, 5, 1, np.hypot(10, 10), 100]
    assert TriangleSoup(corners).distances(points) == pytest.approx(expected)


def test_watertight_counts_equal_places_as_one() -> None:
    vertices, faces = _sphere()
    assert is_watertight(vertices[faces].reshape(-1, 3), np.arange(3 * len(faces)).reshape(-1, 3))
    assert not is_watertight(vertices, faces[1:])


def test_an_empty_reconstruction_is_refused() -> None:
    with pytest.raises(ValueError, match="no triangles"):
        judge(np.zeros((0, 3)), np.zeros((0, 3), np.int64), _thing(), _ring())
