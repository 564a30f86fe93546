"""One suite for everybody who can time STEP pulses: the platter must not know who did."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lgpio_pins import lgpio_beneath
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, DriverError, EmergencyStopped
from drivers.stepper_gpio import StepperGpio

SETTLE_S = 1.0


@pytest.fixture(params=["thread", "lgpio"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with install_bench(GreyCard(), speed=10) as installed:
        if request.param == "thread":
            yield installed
        else:
            with lgpio_beneath(installed):
                yield installed


async def settled_deg(bench: Bench) -> float:
    await bench.clock.wait_until(bench.clock.now_s() + SETTLE_S)
    return bench.angle_deg


async def test_random_moves_lose_no_step(bench: Bench) -> None:
    chance = random.Random(11)
    axis = StepperGpio(StepperGpioOptions(), bench.clock)
    await axis.home()
    issued = 0
    for _ in range(12):
        before = bench.world.platter.motor_steps
        commanded_deg = await axis.move_to(chance.uniform(-40, 40))
        issued += abs(bench.world.platter.motor_steps - before)
        assert bench.world.platter.motor_steps == pytest.approx(commanded_deg / axis.step_deg)
    assert bench.world.pulses == issued
    assert await settled_deg(bench) == pytest.approx(axis.angle_deg, abs=axis.step_deg / 2)
    await axis.close()


async def test_a_cancelled_move_brakes_and_is_counted_to_the_step(bench: Bench) -> None:
    axis = StepperGpio(StepperGpioOptions(), bench.clock)
    await axis.home()
    for after_s in (0.1, 0.4, 1.3):
        move = asyncio.create_task(axis.move_to(axis.angle_deg + 300))
        await bench.clock.wait_until(bench.clock.now_s() + after_s)
        move.cancel()
        with pytest.raises(asyncio.CancelledError):
            await move
        assert bench.world.platter.motor_steps == pytest.approx(axis.angle_deg / axis.step_deg)
    await axis.close()


async def test_an_emergency_stop_drops_what_was_queued(bench: Bench) -> None:
    axis = StepperGpio(StepperGpioOptions(), bench.clock)
    await axis.home()
    move = asyncio.create_task(axis.move_to(300))
    await bench.clock.wait_until(bench.clock.now_s() + 1.0)
    axis.emergency_stop()
    turned_deg = bench.world.platter.settled_angle_deg
    with pytest.raises(EmergencyStopped):
        await move
    assert not bench.board.enabled
    assert bench.world.platter.settled_angle_deg == pytest.approx(turned_deg, abs=2 * axis.step_deg)
    with pytest.raises(AxisNotHomed):
        await axis.move_to(0)
    await axis.home()
    await axis.move_to(3)
    assert await settled_deg(bench) == pytest.approx(turned_deg + 3, abs=3 * axis.step_deg)
    await axis.close()


async def test_who_was_asked_for_and_is_not_here_is_told(bench: Bench) -> None:
    with pytest.raises(DriverError, match=r"no daemon answers at localhost:8888; sudo systemctl start pigpiod"):
        StepperGpio(StepperGpioOptions(pulses="pigpio"), bench.clock)
    await StepperGpio(StepperGpioOptions(), bench.clock).close()
