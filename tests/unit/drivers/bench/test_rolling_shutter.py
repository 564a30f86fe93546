"""A platter that turns while rows are read one after the other is seen bent, one that stands is not."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.bench.bench_clock import BenchClock
from drivers.bench.default_object import default_object
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.rolling import row_shares
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene
from drivers.bench.world import Shot, World

WIDTH_PX, HEIGHT_PX = 320, 240


def test_every_row_gathers_all_its_light_the_first_from_the_first_moments() -> None:
    shares = row_shares(9, 0.25, 100)
    assert shares.sum(axis=1) == pytest.approx(np.ones(100), abs=1e-5)
    middles = shares @ np.linspace(0, 1, 9)
    assert np.all(np.diff(middles) >= -1e-6)
    assert (middles[0], middles[-1]) == (pytest.approx(0.125, abs=0.04), pytest.approx(0.875, abs=0.04))
    assert row_shares(5, 1.0, 3)[0] == pytest.approx(row_shares(5, 1.0, 3)[2]), "a global shutter"


def turning_world(speed_deg_s: float) -> tuple[World, float]:
    """Return a world whose platter turns evenly, and a moment in the middle of it."""
    world = World(BenchClock())
    wait_s = world.platter.mechanics.step_deg / speed_deg_s
    for step in range(2000):
        world.platter.step(1, step * wait_s)
    return world, 1000 * wait_s


def test_rows_see_the_angles_of_their_own_time() -> None:
    world, at_s = turning_world(30.0)
    shot = Shot(at_s, 20_000, 1.0, (2.0, 2.0), readout_s=0.06)
    exposure = world.sight(shot, WIDTH_PX, HEIGHT_PX)
    angles_deg = exposure.rolling_angles_deg
    assert angles_deg[-1] - angles_deg[0] == pytest.approx(30.0 * 0.08, rel=0.02)
    assert exposure.row_exposed_share == pytest.approx(0.25)
    still = World(BenchClock()).sight(shot, WIDTH_PX, HEIGHT_PX)
    assert (still.rolling_angles_deg, still.row_exposed_share) == ((), 1.0)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Scene(default_object(), charuco_mat()))


def test_the_photo_is_bent_its_top_and_its_bottom_are_of_different_angles(renderer: Renderer) -> None:
    standing = Exposure(WIDTH_PX, HEIGHT_PX, (0.0,))
    first, last = renderer.render(standing), renderer.render(replace(standing, platter_angles_deg=(4.0,)))
    angles_deg = tuple(np.linspace(0.0, 4.0, 9).tolist())
    bent = renderer.render(replace(standing, rolling_angles_deg=angles_deg, row_exposed_share=0.02))

    def unlike(one: np.ndarray, rows: slice) -> float:
        return float(np.abs(one[rows].astype(float) - bent[rows]).mean())

    changed = np.flatnonzero(np.abs(first.astype(float) - last).mean(axis=(1, 2)) > 2)
    top, bottom = slice(changed[0], changed[0] + 12), slice(changed[-1] - 12, changed[-1])
    assert unlike(first, top) < 0.7 * unlike(last, top)
    assert unlike(last, bottom) < 0.7 * unlike(first, bottom)
