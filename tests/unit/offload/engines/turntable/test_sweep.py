import dataclasses
from typing import Any

import numpy as np

from offload.engines.turntable.consistency import weigh_depths
from offload.engines.turntable.fuse import fuse_depths
from offload.engines.turntable.hull import carve_hull
from offload.engines.turntable.mesh import examine_skin, isosurface, largest_component
from offload.engines.turntable.neighbours import choose_neighbours
from offload.engines.turntable.pictures import shrink_for, shrink_pictures
from offload.engines.turntable.sweep import STRIDE, DepthMaps, Reach, Surface, sweep_step, sweep_view
from offload.engines.turntable.views import Mesh, Space

SPACE = Space(voxel=1.5, floor=None)


def true_depth(ball: Any) -> np.ndarray:
    return np.asarray(ball.depth[:, ::STRIDE, ::STRIDE])


def true_maps(ball: Any) -> DepthMaps:
    depth = np.where(np.isfinite(true_depth(ball)), true_depth(ball), 0).astype(np.float32)
    K = ball.views.K.copy()
    K[:, :2] /= STRIDE
    sigma = np.where(depth > 0, 0.1, np.inf).astype(np.float32)
    return DepthMaps(depth, sigma, true_cosine(ball, depth, K), K, ball.views.R, ball.views.t)


def true_cosine(ball: Any, depth: np.ndarray, K: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(depth.shape[1:])
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(K[0]).T
    points = rays * depth[..., None]
    centres = np.einsum("vij,j->vi", ball.views.R, ball.centre) + ball.views.t
    normals = (points - centres[:, None, None]) / ball.radius
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return np.asarray(-(normals * rays).sum(axis=-1), np.float32)


def test_neighbours_come_from_both_sides_and_not_from_the_list(ball: Any) -> None:
    order = np.random.default_rng(1).permutation(len(ball.views))
    shuffled = dataclasses.replace(ball.views, R=ball.views.R[order], t=ball.views.t[order], K=ball.views.K[order])
    for view, chosen in enumerate(choose_neighbours(shuffled, ball.centre, 2)):
        steps = sorted((order[chosen] - order[view] + 8) % 16 - 8)
        assert steps == [-1, 1]


def test_photos_shrink_to_the_asked_size_at_the_object_and_never_grow(ball: Any, make_ball: Any) -> None:
    own = 400 / ball.views.K[0, 0, 0]
    assert shrink_for(ball.views, ball.centre, 3 * own) == 3
    assert shrink_for(ball.views, ball.centre, 0.2 * own) == 1
    finer = make_ball(count=4, width=960, height=720)
    assert shrink_for(finer.views, finer.centre, own) == 4


def test_the_sweep_finds_a_ball_within_a_coarser_one(ball: Any) -> None:
    pictures = shrink_pictures(ball.views, 1)
    neighbours = choose_neighbours(ball.views, ball.centre, 4)
    step = sweep_step(pictures, neighbours, ball.centre, 0.5)
    hull = carve_hull(ball.views, SPACE)
    swollen = Mesh(ball.centre + (hull.mesh.vertices - ball.centre) * 1.1, hull.mesh.faces)
    depth, sigma, _ = sweep_view(pictures, 2, neighbours[2], Surface(swollen), Reach(2, 9, step))
    truth = true_depth(ball)[2]
    measured = (depth > 0) & np.isfinite(truth)
    error = np.abs(depth - truth)[measured]
    assert measured.sum() > 0.6 * np.isfinite(truth).sum()
    assert np.median(error) < 0.4 * step
    sure = sigma[measured] < np.median(sigma[measured])
    assert np.mean(error[sure]) < np.mean(error[~sure])


def test_a_plain_ball_yields_no_depth_that_two_others_confirm(make_ball: Any) -> None:
    plain = make_ball(painted=False, noise=2.0)
    pictures = shrink_pictures(plain.views, 1)
    neighbours = choose_neighbours(plain.views, plain.centre, 4)
    surface = Surface(carve_hull(plain.views, SPACE).mesh)
    depth, _, _ = sweep_view(pictures, 2, neighbours[2], surface, Reach(2, 9, 0.7))
    assert (depth > 0).mean() < 0.02


def test_a_planted_outlier_is_not_believed(ball: Any) -> None:
    maps = true_maps(ball)
    middle = (2, maps.depth.shape[1] // 2, maps.depth.shape[2] // 2)
    maps.depth[middle] -= 6
    weights = weigh_depths(maps, choose_neighbours(ball.views, ball.centre, 8), 1.0)
    assert weights[middle] == 0
    inner = maps.depth[2] > 0
    assert (weights[2][inner] > 0).mean() > 0.8


def test_fused_depths_land_on_the_ball_and_close(ball: Any) -> None:
    hull = carve_hull(ball.views, SPACE)
    maps = true_maps(ball)
    weights = weigh_depths(maps, choose_neighbours(ball.views, ball.centre, 8), 1.0)
    feeble_hull = np.full(hull.grid.shape, 0.1, np.float32)
    field, support = fuse_depths(hull, feeble_hull, maps, weights, None)
    mesh = largest_component(isosurface(field, hull.grid.origin, hull.grid.voxel))
    assert examine_skin(mesh).watertight
    supported = hull.grid.sample(support, mesh.vertices) > 10
    error = np.abs(ball.error(mesh))[supported]
    assert supported.mean() > 0.5
    assert np.median(error) < 0.1
    assert abs(np.median(ball.error(mesh)[supported])) < 0.05
    top = mesh.vertices[:, 2] > ball.centre[2] + 0.9 * ball.radius
    assert ball.error(mesh)[top].max() < 0.5, "the cone that the hull leaves on top is gone"


def test_a_voxel_nobody_speaks_for_keeps_the_hulls_distance(ball: Any) -> None:
    hull = carve_hull(ball.views, SPACE)
    maps = true_maps(ball)
    field, support = fuse_depths(hull, np.ones(hull.grid.shape, np.float32), maps, np.zeros_like(maps.depth), None)
    assert not support.any()
    silent = isosurface(field, hull.grid.origin, hull.grid.voxel)
    assert np.median(np.abs(ball.error(silent) - np.median(ball.error(hull.mesh)))) < 0.5
