from typing import Any

import numpy as np
import pytest

from offload.engines.turntable.mesh import isosurface
from offload.engines.turntable.pictures import shrink_pictures
from offload.engines.turntable.refine import (
    Advice,
    Fairness,
    ask_photos,
    combine,
    mean_curvature,
    prepare_normals,
    see_vertices,
)
from offload.engines.turntable.views import Mesh


def ball_mesh(ball: Any, radius: float, voxel: float = 1.5) -> Mesh:
    low = ball.centre - radius - 3 * voxel
    steps = int(np.ceil((2 * radius + 6 * voxel) / voxel)) + 1
    axes = [low[axis] + voxel * np.arange(steps) for axis in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    field = np.linalg.norm(grid - ball.centre, axis=-1) - radius
    return isosurface(field.astype(np.float32), low, voxel)


def test_a_vertex_is_seen_by_the_views_it_faces(ball: Any) -> None:
    mesh = ball_mesh(ball, ball.radius)
    normals = prepare_normals(mesh, Fairness.of(mesh))
    best = see_vertices(mesh, shrink_pictures(ball.views, 1), normals, 1.0)
    eyes = ball.views.centres
    facing = np.argmax(mesh.vertices @ (eyes[4] - ball.centre))
    assert best[facing, 0] == 4
    bottom = np.argmin(mesh.vertices[:, 2])
    assert (best[bottom] == -1).all()


def test_photos_pull_a_swollen_ball_back_to_its_radius(ball: Any) -> None:
    mesh = ball_mesh(ball, ball.radius + 0.6)
    pictures = shrink_pictures(ball.views, 1)
    fairness = Fairness.of(mesh)
    for step in (0.5, 0.5, 0.3, 0.3):
        normals = prepare_normals(mesh, fairness)
        best = see_vertices(mesh, pictures, normals, 1.5)
        photos = ask_photos(mesh, normals, mean_curvature(mesh, normals, fairness), pictures, best, 2.4, step)
        shift = fairness.settle(mesh.vertices, normals, combine(photos), 100.0)
        mesh = Mesh(mesh.vertices + normals * shift[:, None], mesh.faces)
    seen = (best >= 0).sum(axis=1) >= 3
    error = ball.error(mesh)[seen]
    assert np.abs(error).mean() < 0.15
    # A flat patch of 2.4 mm would settle 0.09 mm inside a ball of 30 mm.
    assert abs(error.mean()) < 0.04


def test_advice_counts_by_its_certainty() -> None:
    both = combine(Advice(np.array([1.0]), np.array([3.0])), Advice(np.array([-1.0]), np.array([1.0])))
    assert both.shift[0] == pytest.approx(0.5)
    assert both.certainty[0] == pytest.approx(4)


def test_without_advice_the_plate_flattens_a_bump(ball: Any) -> None:
    mesh = ball_mesh(ball, ball.radius)
    fairness = Fairness.of(mesh)
    normals = prepare_normals(mesh, fairness)
    top = np.argmax(mesh.vertices[:, 2])
    bumped = mesh.vertices.copy()
    bumped[top] += 2 * normals[top]
    certainty = np.full(len(bumped), 10.0)
    certainty[top] = 0
    shift = fairness.settle(bumped, normals, Advice(np.zeros(len(bumped)), certainty), 100.0)
    assert shift[top] == pytest.approx(-2, abs=0.3)


def test_a_balls_curvature_is_one_over_its_radius(ball: Any) -> None:
    mesh = ball_mesh(ball, ball.radius)
    fairness = Fairness.of(mesh)
    curvature = mean_curvature(mesh, prepare_normals(mesh, fairness), fairness)
    assert np.mean(curvature) == pytest.approx(1 / ball.radius, rel=0.25)
