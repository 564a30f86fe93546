import asyncio
from collections.abc import AsyncIterator

import pytest
from gpiozero import DigitalOutputDevice
from under_way import FAR_DEG, under_way

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, DriverError, OutsideLimits
from drivers.stepper_gpio import StepperGpio

SETTLE_S = 1.0


async def settled_angle_deg(bench: Bench) -> float:
    """Where the platter truly stands once it has stopped swinging."""
    await bench.clock.wait_until(bench.clock.now_s() + SETTLE_S)
    return bench.angle_deg


@pytest.fixture
async def axis(fast_bench: Bench) -> AsyncIterator[StepperGpio]:
    stepper = StepperGpio(StepperGpioOptions(), fast_bench.clock)
    await stepper.home()
    yield stepper
    await stepper.close()


async def test_the_platter_truly_goes_where_it_is_sent(fast_bench: Bench, axis: StepperGpio) -> None:
    for target_deg in (90.0, 10.0, -33.3, 0.0):
        commanded_deg = await axis.move_to(target_deg)
        assert commanded_deg == pytest.approx(target_deg, abs=axis.step_deg / 2 + 1e-9)
        assert axis.angle_deg == commanded_deg
        assert await settled_angle_deg(fast_bench) == pytest.approx(commanded_deg, abs=fast_bench.step_deg / 2)


async def test_every_pulse_is_counted(fast_bench: Bench, axis: StepperGpio) -> None:
    await axis.move_to(90)
    await axis.move_to(45)
    assert fast_bench.world.pulses == 2400 + 1200
    assert fast_bench.world.platter.motor_steps == 1200


async def test_a_platter_still_swings_right_after_a_move(fast_bench: Bench, axis: StepperGpio) -> None:
    await axis.move_to(30)
    ended_s = fast_bench.clock.now_s()
    await settled_angle_deg(fast_bench)
    swing = fast_bench.world.platter.sample(ended_s, ended_s + 0.25, 30)
    assert max(swing) - min(swing) > fast_bench.step_deg


async def test_cancelling_brakes_and_the_position_stays_true(fast_bench: Bench, axis: StepperGpio) -> None:
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(fast_bench)
    move.cancel()
    with pytest.raises(asyncio.CancelledError):
        await move
    stopped_deg = axis.angle_deg
    assert 0 < stopped_deg < FAR_DEG
    assert stopped_deg == pytest.approx(fast_bench.world.pulses * fast_bench.step_deg)
    assert await settled_angle_deg(fast_bench) == pytest.approx(stopped_deg, abs=fast_bench.step_deg / 2)
    await axis.move_to(0)
    assert await settled_angle_deg(fast_bench) == pytest.approx(0, abs=fast_bench.step_deg / 2)


async def test_closing_during_a_move_ends_it_with_an_error(fast_bench: Bench, axis: StepperGpio) -> None:
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(fast_bench)
    await axis.close()
    with pytest.raises(DriverError, match=r"stopped at .* on the way from 0.00° to 3600.00°"):
        await move
    assert not fast_bench.board.enabled
    with pytest.raises(DriverError, match="closed"):
        await axis.move_to(0)


async def test_before_homing_nobody_knows_where_it_is(fast_bench: Bench) -> None:
    stepper = StepperGpio(StepperGpioOptions(), fast_bench.clock)
    with pytest.raises(AxisNotHomed, match="home it first"):
        _ = stepper.angle_deg
    with pytest.raises(AxisNotHomed):
        await stepper.move_to(10)
    assert fast_bench.world.pulses == 0
    await stepper.close()


async def test_home_makes_here_zero(fast_bench: Bench, axis: StepperGpio) -> None:
    await axis.move_to(30)
    await axis.home()
    assert axis.angle_deg == 0
    await axis.move_to(15)
    assert await settled_angle_deg(fast_bench) == pytest.approx(45, abs=fast_bench.step_deg)


async def test_soft_limits_hold_before_anything_moves(fast_bench: Bench) -> None:
    stepper = StepperGpio(StepperGpioOptions(soft_limits_deg=(-10, 370)), fast_bench.clock)
    await stepper.home()
    with pytest.raises(OutsideLimits, match=r"371.00° is outside its soft limits -10.00° to 370.00°"):
        await stepper.move_to(371)
    assert fast_bench.world.pulses == 0
    await stepper.close()


async def test_release_lets_the_motor_go(fast_bench: Bench, axis: StepperGpio) -> None:
    assert fast_bench.board.enabled
    await axis.release()
    assert not fast_bench.board.enabled
    await axis.move_to(1.5)
    assert fast_bench.board.enabled
    assert fast_bench.world.platter.motor_steps == 40


async def test_gears_and_microsteps_must_match_the_truth(fast_bench: Bench) -> None:
    wrong = StepperGpio(StepperGpioOptions(gear_ratio=1.5), fast_bench.clock)
    await wrong.home()
    await wrong.move_to(90)
    assert await settled_angle_deg(fast_bench) == pytest.approx(45, abs=fast_bench.step_deg)
    await wrong.close()


@pytest.mark.parametrize(("dir_high_turns", "reverse", "truth"), [(1, False, 9), (-1, False, -9), (-1, True, 9)])
async def test_a_swapped_coil_turns_the_world_the_wrong_way(dir_high_turns: int, reverse: bool, truth: float) -> None:
    def nothing_to_see(*_: object) -> None: ...

    with install_bench(nothing_to_see, speed=20, wiring=BenchWiring(dir_high_turns=dir_high_turns)) as bench:
        stepper = StepperGpio(StepperGpioOptions(reversed=reverse), bench.clock)
        await stepper.home()
        await stepper.move_to(9)
        assert await settled_angle_deg(bench) == pytest.approx(truth, abs=bench.step_deg)
        await stepper.close()


async def test_a_pin_in_use_is_named(fast_bench: Bench) -> None:
    taken = DigitalOutputDevice(27)
    with pytest.raises(DriverError, match=r"turntable: .*GPIO27"):
        StepperGpio(StepperGpioOptions(), fast_bench.clock)
    taken.close()
    await StepperGpio(StepperGpioOptions(), fast_bench.clock).close()


async def test_close_may_come_twice(axis: StepperGpio) -> None:
    await axis.close()
    await axis.close()


async def test_a_move_at_real_speed_takes_what_the_profile_says(bench: Bench) -> None:
    stepper = StepperGpio(StepperGpioOptions(), bench.clock)
    await stepper.home()
    started_s = bench.clock.now_s()
    await stepper.move_to(20)
    assert bench.clock.now_s() - started_s >= stepper.move_time_s(0, 20)
    assert bench.world.pulses == 533
    await stepper.close()
