"""One suite for every axis: whatever turns the platter, it truly does what `Axis` promises."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from under_way import FAR_DEG, under_way

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.serial_table import SerialWiring
from drivers.options import StepperGpioOptions
from drivers.options_serial import Phrase, SerialAxisOptions, TablePhrases
from drivers.protocols import Axis, AxisNotHomed, DriverError, EmergencyStopped, OutsideLimits
from drivers.registry import axis_driver

SPEED = 8.0
SETTLE_S = 1.0
SAMPLES = 1000
WORDS = TablePhrases(
    move=Phrase("MA {angle_deg:.3f}", "OK"),
    query=Phrase("POS?", r"POS (?P<angle_deg>-?\d+\.\d+)"),
    stop=Phrase("STOP", "OK"),
    on=Phrase("ON", "OK"),
    off=Phrase("OFF", "OK"),
    error_reply="ERR.*",
)


@dataclass
class Rig:
    """A bench, and an axis above it by the driver's name."""

    bench: Bench
    driver: str
    options: Any
    tolerance_deg: float

    def build(self, **changes: object) -> Axis:
        axis: Axis = axis_driver(self.driver)(replace(self.options, **changes), self.bench.clock)
        return axis

    async def settled_deg(self) -> float:
        await self.bench.clock.wait_until(self.bench.clock.now_s() + SETTLE_S)
        return self.bench.angle_deg


@pytest.fixture(params=["stepper_gpio", "grbl", "grbl_mm", "grbl_rotary", "marlin", "marlin_mm", "serial_table"])
def rig(request: pytest.FixtureRequest, card: GreyCard, tmp_path: Path) -> Iterator[Rig]:
    driver, _, variant = (
        request.param.partition("_") if request.param[:4] in ("grbl", "marl") else (request.param, "", "")
    )
    if driver == "stepper_gpio":
        with install_bench(card, SPEED) as bench:
            yield Rig(bench, driver, StepperGpioOptions(), bench.step_deg)
        return
    port = tmp_path / "scanner-turntable"
    units = 40.0 if variant == "mm" else 360.0
    letter = "A" if variant == "rotary" else "X"
    kind: Any = "table" if driver == "serial_table" else driver
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port, letter, units)) as bench:
        options = SerialAxisOptions(port=str(port), letter=letter, units_per_turn=units, phrases=WORDS)
        yield Rig(bench, driver, options, 0.11 if kind == "table" else bench.step_deg)


@pytest.fixture
async def axis(rig: Rig) -> AsyncIterator[Axis]:
    built = rig.build()
    await built.home()
    yield built
    await built.close()


async def test_the_platter_truly_goes_where_it_is_sent(rig: Rig, axis: Axis) -> None:
    for target_deg in (90.0, 10.0, -33.3, 0.0):
        reached_deg = await axis.move_to(target_deg)
        assert reached_deg == pytest.approx(target_deg, abs=rig.tolerance_deg)
        assert axis.angle_deg == reached_deg
        assert await rig.settled_deg() == pytest.approx(reached_deg, abs=rig.tolerance_deg)


async def test_cancelling_brakes_and_the_position_stays_true(rig: Rig, axis: Axis) -> None:
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(rig.bench)
    move.cancel()
    with pytest.raises(asyncio.CancelledError):
        await move
    stopped_deg = axis.angle_deg
    assert 0 < stopped_deg < FAR_DEG - 1
    assert await rig.settled_deg() == pytest.approx(stopped_deg, abs=rig.tolerance_deg)
    await axis.move_to(0)
    assert await rig.settled_deg() == pytest.approx(0, abs=rig.tolerance_deg)


async def test_closing_during_a_move_ends_it_with_an_error(rig: Rig, axis: Axis) -> None:
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(rig.bench)
    await axis.close()
    with pytest.raises(DriverError, match=r"stopped at .* on the way"):
        await move
    assert not rig.bench.motor_enabled
    with pytest.raises(DriverError, match="closed"):
        await axis.move_to(0)


async def test_before_homing_nobody_knows_where_it_is(rig: Rig) -> None:
    axis = rig.build()
    with pytest.raises(AxisNotHomed, match="home it first"):
        _ = axis.angle_deg
    with pytest.raises(AxisNotHomed):
        await axis.move_to(10)
    assert rig.bench.world.pulses == 0
    await axis.close()


async def test_home_makes_here_zero(rig: Rig, axis: Axis) -> None:
    await axis.move_to(30)
    assert (await axis.home()).found_by == "here"
    assert axis.angle_deg == 0
    await axis.move_to(15)
    assert await rig.settled_deg() == pytest.approx(45, abs=rig.tolerance_deg)


async def test_somebody_who_knows_better_is_believed(rig: Rig, axis: Axis) -> None:
    await axis.move_to(30)
    await axis.believe(100)
    assert axis.angle_deg == pytest.approx(100, abs=rig.tolerance_deg)
    await axis.move_to(110)
    assert await rig.settled_deg() == pytest.approx(40, abs=rig.tolerance_deg)


async def test_soft_limits_hold_before_anything_moves(rig: Rig) -> None:
    axis = rig.build(soft_limits_deg=(-10, 370))
    await axis.home()
    with pytest.raises(OutsideLimits, match=r"371.00° is outside its soft limits -10.00° to 370.00°"):
        await axis.move_to(371)
    assert rig.bench.world.pulses == 0
    await axis.close()


async def test_release_lets_the_motor_go_and_keeps_the_position(rig: Rig, axis: Axis) -> None:
    await axis.move_to(20)
    assert rig.bench.motor_enabled
    await axis.release()
    assert not rig.bench.motor_enabled
    assert axis.angle_deg == pytest.approx(20, abs=rig.tolerance_deg)
    await axis.move_to(21.5)
    assert rig.bench.motor_enabled
    assert await rig.settled_deg() == pytest.approx(21.5, abs=rig.tolerance_deg)


async def test_an_emergency_stop_ends_a_move_and_the_current_at_once(rig: Rig, axis: Axis) -> None:
    move = asyncio.create_task(axis.move_to(FAR_DEG))
    await under_way(rig.bench)
    axis.emergency_stop()
    with pytest.raises(EmergencyStopped):
        await move
    with pytest.raises(AxisNotHomed):
        _ = axis.angle_deg
    await rig.settled_deg()
    before = rig.bench.world.pulses
    await axis.home()
    assert rig.bench.world.pulses == before
    here_deg = await rig.settled_deg()
    await axis.move_to(5)
    assert await rig.settled_deg() == pytest.approx(here_deg + 5, abs=rig.tolerance_deg)


async def test_a_swapped_coil_is_mended_by_the_configuration(rig: Rig) -> None:
    axis = rig.build(reversed=True)
    await axis.home()
    await axis.move_to(9)
    assert await rig.settled_deg() == pytest.approx(-9, abs=rig.tolerance_deg)
    assert axis.angle_deg == pytest.approx(9, abs=rig.tolerance_deg)
    await axis.close()


async def test_with_play_every_place_is_reached_forward(rig: Rig) -> None:
    axis = rig.build(backlash_deg=2.0)
    await axis.home()
    await axis.move_to(30)
    began_s = rig.bench.clock.now_s()
    await axis.move_to(20)
    assert min(rig.bench.world.platter.sample(began_s, rig.bench.clock.now_s(), SAMPLES)) < 19
    assert await rig.settled_deg() == pytest.approx(20, abs=rig.tolerance_deg)
    await axis.close()


async def test_close_may_come_twice(axis: Axis) -> None:
    await axis.close()
    await axis.close()
