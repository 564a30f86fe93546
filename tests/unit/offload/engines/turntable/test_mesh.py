import numpy as np
import pytest

from offload.engines.turntable.mesh import (
    examine_skin,
    isosurface,
    largest_component,
    neighbour_mean,
    signed_volume,
    vertex_normals,
)
from offload.engines.turntable.views import Mesh


def ball_field(centre: tuple[float, float, float], radius: float, size: int = 40) -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 3, indexing="ij"), axis=-1)
    return np.linalg.norm(grid - np.asarray(centre, np.float32), axis=-1).astype(np.float32) - np.float32(radius)


def test_a_ball_is_watertight_and_faces_outward() -> None:
    ball = isosurface(ball_field((20, 20, 20), 12), np.array([-10.0, -10, 0]), 0.5)
    assert examine_skin(ball).watertight
    assert examine_skin(ball).components == 1
    assert signed_volume(ball) == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.01)
    from_centre = ball.vertices - np.array([0.0, 0, 10])
    np.testing.assert_allclose(np.linalg.norm(from_centre, axis=1), 6, atol=0.02)
    assert (np.einsum("ij,ij->i", vertex_normals(ball), from_centre / 6) > 0.99).all()


def test_a_ball_cut_by_the_grid_is_closed_at_the_edge() -> None:
    assert examine_skin(isosurface(ball_field((20, 20, 0), 12), np.zeros(3), 1.0)).watertight


def test_zeros_on_the_grid_leave_no_crowded_edges() -> None:
    cube = np.where(ball_field((20, 20, 20), 12) < 0, np.float32(-1), np.float32(0))
    assert examine_skin(isosurface(cube, np.zeros(3), 1.0)).watertight


def test_nothing_inside_is_said() -> None:
    with pytest.raises(ValueError, match="inside"):
        isosurface(np.ones((5, 5, 5), np.float32), np.zeros(3), 1.0)


def test_the_largest_part_is_kept_and_a_cavity_never_wins() -> None:
    shell = np.maximum(ball_field((18, 20, 20), 12), -ball_field((18, 20, 20), 9))
    field = np.minimum(shell, ball_field((35, 20, 20), 3))
    kept = largest_component(isosurface(field, np.zeros(3), 1.0))
    assert examine_skin(kept).components == 1
    assert signed_volume(kept) == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.02)


def test_a_missing_face_is_found() -> None:
    ball = isosurface(ball_field((20, 20, 20), 12), np.zeros(3), 1.0)
    assert examine_skin(Mesh(ball.vertices, ball.faces[1:])).open_edges == 3


def test_the_neighbours_mean_keeps_a_constant() -> None:
    ball = isosurface(ball_field((20, 20, 20), 12), np.zeros(3), 1.0)
    mean = neighbour_mean(ball.faces, len(ball.vertices))
    np.testing.assert_allclose(mean @ np.ones(len(ball.vertices)), 1, rtol=1e-6)
