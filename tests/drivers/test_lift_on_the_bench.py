"""The second motor, which carries the camera: the same driver, other pins, another truth."""

from collections.abc import AsyncIterator, Iterator

import pytest

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.pins import BenchWiring, LiftWiring
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, OutsideLimits
from drivers.stepper_gpio import StepperGpio

STEP_DEG = 0.01125
OPTIONS = StepperGpioOptions(
    name="lift", step_pin=20, dir_pin=21, enable_pin=6, full_steps_per_turn=200, microsteps=16, gear_ratio=10.0,
    max_speed_deg_s=20.0, acceleration_deg_s2=40.0, soft_limits_deg=(5.0, 80.0),
)  # fmt: skip


@pytest.fixture
def bench() -> Iterator[Bench]:
    arm = LiftMechanics(step_deg=STEP_DEG, start_deg=10.0)
    with install_bench(GreyCard(), 20, BenchWiring(lift=LiftWiring()), lift=arm) as installed:
        yield installed


@pytest.fixture
async def lift(bench: Bench) -> AsyncIterator[StepperGpio]:
    axis = StepperGpio(OPTIONS, bench.clock)
    yield axis
    await axis.close()


async def test_the_camera_truly_rises_to_where_it_is_sent(bench: Bench, lift: StepperGpio) -> None:
    await lift.believe(10.0)
    for target_deg in (50.0, 20.0):
        assert await lift.move_to(target_deg) == pytest.approx(target_deg, abs=STEP_DEG)
        assert bench.world.camera_elevation_deg == pytest.approx(target_deg, abs=2 * STEP_DEG)
    assert bench.angle_deg == 0, "the platter has a motor of its own"
    assert bench.world.pulses == 0


async def test_where_the_camera_stands_has_to_be_said_first(lift: StepperGpio) -> None:
    with pytest.raises(AxisNotHomed, match="lift: position unknown"):
        await lift.move_to(50.0)
    with pytest.raises(OutsideLimits, match=r"lift: 85.00° is outside its soft limits 5.00° to 80.00°"):
        await lift.believe(85.0)


async def test_a_wrong_belief_drives_the_camera_to_a_wrong_place(bench: Bench, lift: StepperGpio) -> None:
    await lift.believe(30.0)
    await lift.move_to(40.0)
    assert bench.world.camera_elevation_deg == pytest.approx(20.0, abs=2 * STEP_DEG)


async def test_without_current_the_arm_stays(bench: Bench, lift: StepperGpio) -> None:
    await lift.believe(10.0)
    assert bench.lift_board is not None
    assert bench.lift_board.enabled
    await lift.release()
    assert not bench.lift_board.enabled
    assert bench.world.camera_elevation_deg == pytest.approx(10.0)


def test_a_camera_on_a_tripod_is_moved_by_hand() -> None:
    with install_bench(GreyCard(), 20) as bench:
        assert bench.world.camera_elevation_deg is None
        bench.world.put_camera(50.0)
        assert bench.world.camera_elevation_deg == 50.0
