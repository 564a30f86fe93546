"""One suite for everybody who can time STEP pulses: the platter must not know who did."""

import ast
import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from under_way import FAR_DEG, under_way

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import SITE, Bench, install_bench
from drivers.bench.lgpio_pins import lgpio_beneath
from drivers.bench.pigpio_daemon import pigpio_beneath
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, DriverError, EmergencyStopped
from drivers.stepper_gpio import StepperGpio

SETTLE_S = 1.0


@pytest.fixture(params=["thread", "lgpio", "pigpio"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as beneath:
        installed = beneath.enter_context(install_bench(GreyCard(), speed=10))
        if request.param == "lgpio":
            beneath.enter_context(lgpio_beneath(installed))
        if request.param == "pigpio":
            beneath.enter_context(pigpio_beneath(installed))
        yield installed


@pytest.fixture
def options(request: pytest.FixtureRequest, bench: Bench) -> StepperGpioOptions:
    # The bench's own pins are a mock: there the daemon has to be asked for.
    return StepperGpioOptions(pulses="pigpio" if "pigpio" in request.node.name else "auto")


async def settled_deg(bench: Bench) -> float:
    await bench.clock.wait_until(bench.clock.now_s() + SETTLE_S)
    return bench.angle_deg


async def test_random_moves_lose_no_step(bench: Bench, options: StepperGpioOptions) -> None:
    chance = random.Random(11)
    axis = StepperGpio(options, bench.clock)
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


async def test_a_cancelled_move_brakes_and_is_counted_to_the_step(bench: Bench, options: StepperGpioOptions) -> None:
    axis = StepperGpio(options, bench.clock)
    await axis.home()
    for after_s in (0.1, 0.4, 1.3):
        move = asyncio.create_task(axis.move_to(axis.angle_deg + FAR_DEG))
        await bench.clock.wait_until(bench.clock.now_s() + after_s)
        move.cancel()
        with pytest.raises(asyncio.CancelledError):
            await move
        assert bench.world.platter.motor_steps == pytest.approx(axis.angle_deg / axis.step_deg)
    await axis.close()


async def test_an_emergency_stop_drops_what_was_queued(bench: Bench, options: StepperGpioOptions) -> None:
    axis = StepperGpio(options, bench.clock)
    await axis.home()
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(bench)
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


async def test_a_daemon_that_was_asked_for_and_is_not_here_is_told() -> None:
    with install_bench(GreyCard(), speed=10) as bench:
        with pytest.raises(DriverError, match=r"no daemon answers at localhost:8888; sudo systemctl start pigpiod"):
            StepperGpio(StepperGpioOptions(pulses="pigpio"), bench.clock)
        await StepperGpio(StepperGpioOptions(), bench.clock).close()


async def test_a_daemon_that_dies_during_a_move_is_told() -> None:
    with install_bench(GreyCard(), speed=10) as bench:
        with pigpio_beneath(bench):
            axis = StepperGpio(StepperGpioOptions(pulses="pigpio"), bench.clock)
            await axis.home()
        with pytest.raises(DriverError, match=r"pigpio's daemon says"):
            await axis.move_to(90)
        await axis.close()


def test_the_simulated_lgpio_has_the_real_one_s_names_and_parameters() -> None:
    """Read from the real package's file: in this process the simulated one is loaded."""
    real = next(place for place in map(Path, sys.path) if (place / "lgpio.py").is_file() and place != SITE)
    truth = functions_of(real / "lgpio.py")
    for name, parameters in functions_of(SITE / "lgpio.py").items():
        if name not in ("plug_in", "unplug", "_told"):
            assert parameters == truth[name][: len(parameters)], name


def functions_of(file: Path) -> dict[str, list[str]]:
    tree = ast.parse(file.read_text())
    return {node.name: [arg.arg for arg in node.args.args] for node in tree.body if isinstance(node, ast.FunctionDef)}
