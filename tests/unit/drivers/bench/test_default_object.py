"""The default thing asks of a scanner what it says it asks."""

import numpy as np
import pytest

from drivers.bench.default_object import default_object
from drivers.bench.judge import is_watertight
from drivers.bench.picture.surface import Surface
from drivers.bench.scene import SceneObject


@pytest.fixture(scope="module")
def owl() -> SceneObject:
    return default_object(subdivisions=0)


def test_it_is_one_closed_solid_with_one_handle(owl: SceneObject) -> None:
    assert is_watertight(owl.vertices_mm, owl.faces)
    edges = len(owl.faces) * 3 // 2
    assert len(np.unique(owl.faces)) - edges + len(owl.faces) == 0  # Euler: one piece with one hole through it


def test_it_stands_150_mm_tall_on_the_platter(owl: SceneObject) -> None:
    assert owl.vertices_mm[:, 2].min() == pytest.approx(0, abs=1e-4)
    assert np.ptp(owl.vertices_mm[:, 2]) == pytest.approx(150, abs=1e-3)
    assert np.ptp(owl.vertices_mm[:, :2], axis=0).max() < 130
    corners = owl.vertices_mm[owl.faces].astype(np.float64)
    assert np.einsum("nk,nk->n", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() > 0


def test_the_mouth_is_hollow_and_the_handle_has_a_gap(owl: SceneObject) -> None:
    surface = Surface(owl.vertices_mm, owl.faces)
    down = surface.cast(np.array([0, 0, 300], np.float32), np.array([[0, 0, -1]], np.float32))
    assert down.points_mm[0, 2] < 100
    through = surface.cast(np.array([-300, 50, 82], np.float32), np.array([[1, 0, 0]], np.float32))
    assert len(through.ray) == 0


def test_the_belly_is_plain_and_the_rest_is_not(owl: SceneObject) -> None:
    assert owl.vertex_colours is not None
    x, y, z = owl.vertices_mm.T
    belly = (np.hypot(x, (z - 45) * 0.8) < 12) & (y < -20)
    side = (np.abs(x) > 35) & (z > 20) & (z < 80)
    assert belly.sum() > 50
    assert owl.vertex_colours[belly].std(axis=0).max() < 0.01
    assert owl.vertex_colours[side].std(axis=0).min() > 0.05


def test_a_split_mesh_stays_closed_and_gets_finer(owl: SceneObject) -> None:
    fine = default_object(subdivisions=1)
    assert len(fine.faces) == 4 * len(owl.faces)
    assert is_watertight(fine.vertices_mm, fine.faces)
