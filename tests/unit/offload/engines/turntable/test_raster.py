import numpy as np
import pytest

from offload.engines.turntable.raster import NO_FACE, rasterise, sample_visibility

K = np.array([[200.0, 0, 31.5], [0, 200.0, 23.5], [0, 0, 1]])
PROJECTION = K @ np.eye(3, 4)


def tilted_plane(depth: float) -> tuple[np.ndarray, np.ndarray]:
    """z = depth + 0.5 x over a square that overfills the picture."""
    corners = np.array([[-90.0, -90], [90, -90], [90, 90], [-90, 90]])
    vertices = np.column_stack([corners, depth + 0.5 * corners[:, 0]])
    return vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_plane_has_its_analytic_depth() -> None:
    vertices, faces = tilted_plane(300)
    depth, seen = rasterise(vertices, faces, PROJECTION, 48, 64)
    ray_x = (np.arange(64) - 31.5) / 200
    expected = np.broadcast_to(300 / (1 - 0.5 * ray_x), (48, 64))
    assert (seen != NO_FACE).all()
    np.testing.assert_allclose(depth, expected, rtol=1e-5)


def test_the_nearer_triangle_wins_whatever_the_order() -> None:
    far, faces = tilted_plane(400)
    near = np.array([[-20.0, -20, 200], [20, -20, 200], [0, 20, 200]])
    vertices = np.concatenate([far, near])
    for order in ([0, 1, 2], [2, 1, 0]):
        triangles = np.concatenate([faces, [[4, 5, 6]]]).astype(np.int32)[order]
        depth, seen = rasterise(vertices, triangles, PROJECTION, 48, 64)
        assert depth[20, 32] == pytest.approx(200)
        assert seen[20, 32] == order.index(2)


def test_empty_pixels_and_what_lies_behind_the_camera() -> None:
    vertices = np.array([[-5.0, -5, 100], [5, -5, 100], [0, 5, 100], [-5, -5, -100], [5, -5, -100], [0, 5, -100]])
    depth, seen = rasterise(vertices, np.array([[0, 1, 2], [3, 4, 5]], np.int32), PROJECTION, 48, 64)
    assert np.isinf(depth[0, 0])
    assert seen[0, 0] == NO_FACE
    assert set(np.unique(seen)) == {NO_FACE, 0}


def test_a_vertex_behind_another_surface_is_unseen() -> None:
    vertices, faces = tilted_plane(300)
    depth, _ = rasterise(vertices, faces, PROJECTION, 48, 64)
    probes = np.array([[0.0, 0, 299.5], [0, 0, 300.5], [0, 0, 305], [200, 0, 100]])
    assert sample_visibility(probes, PROJECTION, depth, 1.0).tolist() == [True, True, False, False]
