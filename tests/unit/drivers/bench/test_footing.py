"""An object that only friction holds stays while the platter is gentle, and slides by Coulomb's law beyond."""

import math

import numpy as np
import pytest

from drivers.bench.bench_clock import BenchClock
from drivers.bench.footing import Footing, holds_deg_s2
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.clutter import ball
from drivers.bench.platter import Platter, PlatterMechanics
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject
from drivers.bench.world import Shot, World

STIFF = PlatterMechanics(steps_per_turn=144_000, resonance_hz=60.0, damping_ratio=0.5)
"""Follows its motor so closely that the platter's acceleration is the profile's."""
LOOKED_S = 0.05


def slippery(holds: float, mechanics: PlatterMechanics = STIFF) -> PlatterMechanics:
    """Return mechanics with the friction that holds just that angular acceleration."""
    per_friction = holds_deg_s2(PlatterMechanics(friction=1.0))
    return PlatterMechanics(
        mechanics.steps_per_turn, mechanics.resonance_hz, mechanics.damping_ratio, friction=holds / per_friction
    )


def move(platter: Platter, footing: Footing, delta_deg: float, acceleration_deg_s2: float, start_s: float) -> float:
    """Accelerate over half of the way, brake over the other, looking at it as a camera does; return when it rests."""
    steps = round(abs(delta_deg) / platter.mechanics.step_deg)
    half_s = math.sqrt(abs(delta_deg) / acceleration_deg_s2)
    looked_s = start_s
    for step in range(steps):
        done_deg = (step + 0.5) * platter.mechanics.step_deg
        left_deg = abs(delta_deg) - done_deg
        if done_deg < left_deg:
            at_s = start_s + math.sqrt(2 * done_deg / acceleration_deg_s2)
        else:
            at_s = start_s + 2 * half_s - math.sqrt(2 * left_deg / acceleration_deg_s2)
        if at_s - looked_s > LOOKED_S:
            footing.turned_deg(at_s)
            looked_s = at_s
        platter.step(math.copysign(1, delta_deg), at_s)
    return start_s + 2 * half_s + 2.0


def test_what_friction_holds_is_coulombs() -> None:
    mechanics = PlatterMechanics(friction=0.3, foot_radius_mm=40, object_radius_mm=80)
    assert holds_deg_s2(mechanics) == pytest.approx(math.degrees(0.3 * 9.81 * 0.04 / 0.08**2))


def test_a_gentle_platter_takes_the_object_along() -> None:
    platter = Platter(slippery(400.0))
    footing = Footing(platter)
    ended_s = move(platter, footing, 30.0, 200.0, 1.0)
    assert footing.turned_deg(ended_s) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("delta_deg", [30.0, -30.0])
def test_a_hasty_one_leaves_it_behind_by_coulombs_law(delta_deg: float) -> None:
    """The object speeds up at h, meets the braking platter at v = 2 V h / (a + h), and comes to rest after v²/h."""
    hasty, holds = 1600.0, 400.0
    platter = Platter(slippery(holds))
    footing = Footing(platter)
    ended_s = move(platter, footing, delta_deg, hasty, 1.0)
    fraction = 4 * hasty * holds / (hasty + holds) ** 2
    assert footing.turned_deg(ended_s) == pytest.approx(delta_deg * (fraction - 1), rel=0.03)
    assert platter.true_angle_deg(ended_s) == pytest.approx(delta_deg, abs=0.01), (
        "the platter itself is where it was sent"
    )


def test_it_slides_further_with_every_move_and_never_without_one() -> None:
    platter = Platter(slippery(300.0))
    footing = Footing(platter)
    at_s, turned = 1.0, []
    for _ in range(3):
        at_s = move(platter, footing, 10.0, 900.0, at_s)
        turned.append(footing.turned_deg(at_s))
    assert np.diff([0, *turned]) == pytest.approx(turned[0], rel=0.05)
    assert footing.turned_deg(at_s + 3600) == pytest.approx(turned[-1], abs=0.01)


def test_a_hand_takes_platter_and_object_along() -> None:
    platter = Platter(slippery(300.0))
    footing = Footing(platter)
    footing.turned_deg(1.0)
    platter.turn_by_hand(25.0, 1.0)
    assert footing.turned_deg(4.0) == pytest.approx(0, abs=0.01)


def test_what_never_slides_costs_nothing_and_the_world_shows_what_does() -> None:
    assert Footing(Platter()).turned_deg(1e9) == 0
    world = World(BenchClock(), slippery(300.0))
    ended_s = move(world.platter, Footing(world.platter), 20.0, 1600.0, 1.0)
    exposure = world.sight(Shot(ended_s, 10_000, 1.0, (2.0, 2.0)), 320, 240)
    assert exposure.platter_angles_deg[0] == pytest.approx(20.0, abs=0.1)
    assert exposure.object_turned_deg < -4


def test_the_mat_is_seen_where_it_was_and_the_object_where_it_slid_to() -> None:
    vertices, faces = ball(20)
    away = SceneObject((vertices + np.array([50, 0, 0])).astype(np.float32), faces.astype(np.uint32), paint_seed=1)
    renderer = Renderer(Scene(away, charuco_mat()))
    size_px = (480, 360)
    slid, turned, still = (
        renderer.render(Exposure(*size_px, (angle_deg,), object_turned_deg=slid_deg)).astype(float)
        for angle_deg, slid_deg in ((0.0, -30.0), (-30.0, 0.0), (0.0, 0.0))
    )
    thing = renderer.truth(*size_px, 0.0, object_turned_deg=-30.0).mask > 0
    assert np.array_equal(thing, renderer.truth(*size_px, -30.0).mask > 0)
    assert np.abs(slid - turned)[thing].mean() < 4, "the object as if the platter had turned"
    mat = np.s_[300:, 60:420]
    assert np.abs(slid - still)[mat].mean() < 4, "the mat as if it had not"
    assert np.abs(turned - still)[mat].mean() > 20
