"""Homing to the index: the same place to the step, whatever came before."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from under_way import FAR_DEG, under_way

from drivers.bench.grey_card import GreyCard
from drivers.bench.index_flag import IndexFlag
from drivers.bench.install import Bench, install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.pins import BenchWiring, LiftWiring
from drivers.bench.platter import PlatterMechanics
from drivers.options import IndexOptions, StepperGpioOptions
from drivers.protocols import AxisNotHomed, DriverError, EmergencyStopped, NeedsPerson
from drivers.stepper_gpio import StepperGpio

INDEX = IndexOptions(pin=26)
WIRING = BenchWiring(index_pin=26)
LIFT = StepperGpioOptions(
    name="lift",
    step_pin=20,
    dir_pin=21,
    enable_pin=6,
    full_steps_per_turn=1,
    microsteps=1,
    max_speed_deg_s=10,
    acceleration_deg_s2=20,
    soft_limits_deg=(10, 70),
)
SETTLE_S = 1.0


@contextmanager
def platter(backlash_deg: float = 0.0) -> Iterator[Bench]:
    mechanics = PlatterMechanics(backlash_deg=backlash_deg)
    with install_bench(GreyCard(), speed=20, wiring=WIRING, mechanics=mechanics) as bench:
        yield bench


async def settled_deg(bench: Bench) -> float:
    await bench.clock.wait_until(bench.clock.now_s() + SETTLE_S)
    return bench.angle_deg


async def test_home_is_where_the_flag_begins_wherever_it_was() -> None:
    chance = random.Random(5)
    with platter() as bench:
        flag = bench.world.flag
        axis = StepperGpio(StepperGpioOptions(index=INDEX), bench.clock)
        found_deg = []
        for turned_deg in (0.0, flag.edge_deg + 1, *(chance.uniform(-300, 300) for _ in range(3))):
            bench.world.platter.turn_by_hand(turned_deg - bench.angle_deg, bench.clock.now_s())
            homing = await axis.home()
            assert homing.found_by == "index"
            await axis.move_to(0)
            found_deg.append(await settled_deg(bench) % 360)
        await axis.close()
    for angle_deg in found_deg:
        assert angle_deg == pytest.approx(flag.edge_deg, abs=2 * bench.step_deg)


async def test_homing_again_says_how_far_the_count_was_off() -> None:
    with platter() as bench:
        axis = StepperGpio(StepperGpioOptions(index=INDEX), bench.clock)
        assert (await axis.home()).off_deg is None
        await axis.move_to(50)
        assert (await axis.home()).off_deg == pytest.approx(0, abs=1.5 * bench.step_deg)
        bench.world.motor.lose(40)
        await axis.move_to(90)
        # 40 steps short: the index is met 40 steps later by count than it should be.
        assert (await axis.home()).off_deg == pytest.approx(40 * bench.step_deg, abs=1.5 * bench.step_deg)
        await axis.close()


async def test_play_is_taken_up_before_the_edge_is_met() -> None:
    with platter(backlash_deg=1.5) as bench:
        axis = StepperGpio(StepperGpioOptions(index=INDEX, backlash_deg=1.6), bench.clock)
        await axis.home()
        for target_deg in (30.0, -20.0, 5.0, 0.0):
            await axis.move_to(target_deg)
            expected_deg = bench.world.flag.edge_deg + target_deg
            assert await settled_deg(bench) % 360 == pytest.approx(expected_deg, abs=2 * bench.step_deg)
        assert (await axis.home()).off_deg == pytest.approx(0, abs=1.5 * bench.step_deg)
        await axis.close()


async def test_without_taking_it_up_the_play_would_show() -> None:
    """The truth of the test above: the bench's play is really there."""
    with platter(backlash_deg=1.5) as bench:
        axis = StepperGpio(StepperGpioOptions(), bench.clock)
        await axis.home()
        await axis.move_to(30)
        reached_deg = await settled_deg(bench)
        await axis.move_to(20)
        assert reached_deg - await settled_deg(bench) == pytest.approx(10 - 1.5, abs=2 * bench.step_deg)
        await axis.close()


async def test_a_sensor_that_never_answers_is_told_after_a_turn() -> None:
    with platter() as bench:
        bench.world.flag = IndexFlag(width_deg=0.0)
        axis = StepperGpio(StepperGpioOptions(index=INDEX), bench.clock)
        with pytest.raises(NeedsPerson, match="index sensor on GPIO26 not met in a whole turn"):
            await axis.home()
        with pytest.raises(AxisNotHomed):
            _ = axis.angle_deg
        await axis.close()


async def test_a_sensor_that_is_always_active_is_told() -> None:
    with platter() as bench:
        bench.world.flag = IndexFlag(width_deg=360.0)
        axis = StepperGpio(StepperGpioOptions(index=INDEX), bench.clock)
        with pytest.raises(NeedsPerson, match=r"active over more than 5°"):
            await axis.home()
        await axis.close()


async def test_cancelling_a_search_leaves_the_angle_unknown() -> None:
    with platter() as bench:
        bench.world.flag = IndexFlag(width_deg=0.0)
        # A whole turn takes it so long that no machine misses the search.
        axis = StepperGpio(StepperGpioOptions(index=replace(INDEX, speed_deg_s=2.0)), bench.clock)
        homing = asyncio.create_task(axis.home())
        await under_way(bench, by_deg=2.0)
        homing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await homing
        pulses = bench.world.pulses
        await settled_deg(bench)
        assert bench.world.pulses == pulses
        with pytest.raises(AxisNotHomed):
            await axis.move_to(1)
        await axis.close()


async def test_a_lift_homes_downwards_to_its_switch() -> None:
    arm = LiftMechanics(start_deg=40.0, switch_deg=12.0)
    wiring = BenchWiring(lift=LiftWiring(switch_pin=26))
    index = IndexOptions(pin=26, angle_deg=12.0, search="backward", width_deg=15.0, speed_deg_s=10.0)
    options = replace(LIFT, gear_ratio=360 / arm.step_deg, index=index)
    with install_bench(GreyCard(), speed=20, wiring=wiring, lift=arm) as bench:
        axis = StepperGpio(options, bench.clock)
        await axis.home()
        assert axis.angle_deg == pytest.approx(12.0, abs=2 * arm.step_deg)
        await axis.move_to(35)
        assert bench.world.camera_elevation_deg == pytest.approx(35, abs=2 * arm.step_deg)
        await axis.close()


async def test_an_emergency_stop_does_not_brake_and_forgets_the_angle() -> None:
    with platter() as bench:
        axis = StepperGpio(StepperGpioOptions(), bench.clock)
        await axis.home()
        move = asyncio.create_task(axis.move_to(FAR_DEG))
        await under_way(bench)
        axis.emergency_stop()
        assert not bench.board.enabled
        pulses = bench.world.pulses
        with pytest.raises(EmergencyStopped, match="emergency stop"):
            await move
        # At 60°/s braking would take 267 steps; at most the one that was being made may follow.
        assert bench.world.pulses - pulses <= 1
        assert not bench.board.enabled
        with pytest.raises(AxisNotHomed):
            await axis.move_to(10)
        await axis.believe(20)
        assert await axis.move_to(21) == pytest.approx(21, abs=axis.step_deg)
        await axis.close()


@pytest.mark.parametrize(("microsteps", "pulses"), [(1, 150), (4, 600), (16, 2400)])
async def test_microsteps_are_set_by_their_pins(microsteps: int, pulses: int) -> None:
    with install_bench(GreyCard(), speed=20, wiring=BenchWiring(microstep_pins=(13, 19, 26))) as bench:
        options = StepperGpioOptions(microsteps=microsteps, microstep_pins=(13, 19, 26))
        axis = StepperGpio(options, bench.clock)
        await axis.home()
        await axis.move_to(90)
        assert bench.world.pulses == pulses
        assert await settled_deg(bench) == pytest.approx(90, abs=bench.step_deg)
        await axis.close()


async def test_impossible_microsteps_are_refused_with_what_is_possible() -> None:
    with platter() as bench, pytest.raises(DriverError, match=r"3 MS pins and makes 1, 2, 4, 8, 16 microsteps"):
        StepperGpio(StepperGpioOptions(microsteps=32, microstep_pins=(13, 19, 16)), bench.clock)
