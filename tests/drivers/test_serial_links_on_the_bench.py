"""What only a serial line can do to an axis: speeds nobody knows, the wrong device, cables, switches of its own."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from under_way import FAR_DEG, holds, under_way

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.serial_table import SerialTable, SerialWiring
from drivers.hardware_fault import HardwareFault
from drivers.options_serial import Phrase, SerialAxisOptions, TablePhrases
from drivers.protocols import AxisNotHomed, DriverError, EmergencyStopped, LinkBroken
from drivers.stepper_serial import GrblAxis, MarlinAxis, SerialAxis, TableAxis

SPEED = 8.0
WORDS = TablePhrases(
    move=Phrase("MA {angle_deg:.3f}", "OK"),
    query=Phrase("POS?", r"POS (?P<angle_deg>-?\d+\.\d+)"),
    stop=Phrase("STOP", "OK"),
    on=Phrase("ON", "OK"),
    off=Phrase("OFF", "OK"),
)
AXES: dict[Any, type[SerialAxis]] = {"grbl": GrblAxis, "marlin": MarlinAxis}


def table_of(bench: Bench) -> SerialTable:
    assert bench.table is not None
    return bench.table


@pytest.mark.parametrize(("kind", "baud"), [("grbl", 115200), ("grbl", 9600), ("marlin", 250000)])
async def test_the_speed_is_found_by_who_answers(card: GreyCard, tmp_path: Path, kind: Any, baud: int) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port, baud=baud)) as bench:
        axis = AXES[kind](SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        assert await axis.move_to(30) == pytest.approx(30, abs=bench.step_deg)
        await axis.close()


@pytest.mark.parametrize(("there", "driver", "named"), [("marlin", "grbl", "Marlin"), ("grbl", "marlin", "GRBL")])
async def test_the_wrong_device_is_named(card: GreyCard, tmp_path: Path, there: Any, driver: str, named: str) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(there, port)) as bench:
        axis = AXES[driver](SerialAxisOptions(port=str(port), baud=115200), bench.clock)
        with pytest.raises(DriverError, match=f'{named} answers, not .*driver = "{there}"') as told:
            await axis.home()
        assert told.value.kind is HardwareFault.LINK_BROKEN
        await axis.close()


@pytest.mark.parametrize("kind", ["grbl", "marlin"])
async def test_after_many_turns_a_place_is_still_the_place(card: GreyCard, tmp_path: Path, kind: Any) -> None:
    """Marlin tells its steps per unit with two digits: 26.67 of them are a step too many after a turn and a bit."""
    port = tmp_path / "port"
    with install_bench(card, 2 * SPEED, turntable=SerialWiring(kind, port)) as bench:
        axis = AXES[kind](
            SerialAxisOptions(port=str(port), max_speed_deg_s=240, acceleration_deg_s2=720), bench.clock
        )
        await axis.home()
        assert await axis.move_to(2160.0) == pytest.approx(2160.0, abs=bench.step_deg)
        assert bench.world.platter.settled_angle_deg == pytest.approx(2160.0, abs=bench.step_deg)
        await axis.close()


@pytest.mark.parametrize("kind", ["grbl", "marlin"])
async def test_a_cable_pulled_in_the_middle_of_a_move_loses_the_position(
    card: GreyCard, tmp_path: Path, kind: Any
) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port)) as bench:
        axis = AXES[kind](SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        move = asyncio.create_task(axis.move_to(FAR_DEG))
        await under_way(bench)
        table_of(bench).unplug()
        with pytest.raises(LinkBroken, match="check the cable"):
            await move
        with pytest.raises(AxisNotHomed):
            _ = axis.angle_deg
        with pytest.raises(LinkBroken, match="plug the controller in"):
            await axis.home()
        table_of(bench).plug_in()
        await axis.believe(70)
        here_deg = bench.angle_deg
        await axis.move_to(80)
        await bench.clock.wait_until(bench.clock.now_s() + 1.0)
        assert bench.angle_deg == pytest.approx(here_deg + 10, abs=bench.step_deg)
        await axis.close()


@pytest.mark.parametrize("kind", ["grbl", "marlin"])
async def test_after_a_lost_byte_the_count_still_holds(card: GreyCard, tmp_path: Path, kind: Any) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port)) as bench:
        axis = AXES[kind](SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        await axis.move_to(10)
        table_of(bench).drop_byte("host")
        with pytest.raises(LinkBroken):
            await axis.move_to(40)
        assert axis.angle_deg == pytest.approx(bench.angle_deg, abs=0.2)
        await axis.move_to(90)
        await bench.clock.wait_until(bench.clock.now_s() + 1.0)
        assert bench.angle_deg == pytest.approx(90, abs=bench.step_deg)
        await axis.close()


@pytest.mark.parametrize("kind", ["grbl", "marlin"])
async def test_half_a_line_that_an_echo_left_behind_is_no_part_of_the_first_order(
    card: GreyCard, tmp_path: Path, kind: Any
) -> None:
    # Seen on a real kernel: until a port is opened raw, what its controller says is sent back to it.
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port)) as bench:
        table_of(bench).firmware.receive(b"\r\nGrbl 1.1h ['$' for help]\r\n<Id")
        axis = AXES[kind](SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        assert await axis.move_to(20) == pytest.approx(20, abs=bench.step_deg)
        await axis.close()


async def test_slow_replies_are_waited_for(card: GreyCard, tmp_path: Path) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring("grbl", port)) as bench:
        axis = GrblAxis(SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        table_of(bench).reply_delay_s = 0.5
        assert await axis.move_to(20) == pytest.approx(20, abs=bench.step_deg)
        await axis.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["grbl", "marlin"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_byte_lost_anywhere_is_an_error_or_nothing_but_never_a_wrong_place(
    card: GreyCard, tmp_path: Path, kind: Any, seed: int
) -> None:
    chance = random.Random(f"bytes {kind} {seed}")
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port)) as bench:
        axis = AXES[kind](SerialAxisOptions(port=str(port)), bench.clock)
        await axis.home()
        told: list[DriverError] = []
        for _ in range(4):
            target_deg = round(chance.uniform(-90, 90), 2)
            table_of(bench).drop_byte(chance.choice(["host", "controller"]), chance.random())
            try:
                reached_deg = await axis.move_to(target_deg)
            except AxisNotHomed:
                await axis.believe(bench.angle_deg)
                continue
            except DriverError as fault:
                told.append(fault)
                continue
            await bench.clock.wait_until(bench.clock.now_s() + 1.0)
            assert reached_deg == pytest.approx(target_deg, abs=1.1 * bench.step_deg)
            assert bench.angle_deg == pytest.approx(target_deg, abs=1.1 * bench.step_deg)
        assert {fault.kind for fault in told} <= {HardwareFault.LINK_BROKEN}, told
        await axis.close()


@pytest.mark.parametrize("kind", ["grbl", "marlin"])
async def test_a_controller_with_a_switch_homes_itself(card: GreyCard, tmp_path: Path, kind: Any) -> None:
    port = tmp_path / "port"
    with install_bench(card, SPEED, turntable=SerialWiring(kind, port, homing=True)) as bench:
        bench.world.platter.turn_by_hand(50.0, bench.clock.now_s())
        axis = AXES[kind](SerialAxisOptions(port=str(port), homes=True), bench.clock)
        first = await axis.home()
        assert (first.found_by, first.off_deg) == ("controller", None)
        # A search ends without a ramp: the platter swings.
        await bench.clock.wait_until(bench.clock.now_s() + 1.0)
        zero_deg = bench.angle_deg
        await axis.move_to(30)
        again = await axis.home()
        await bench.clock.wait_until(bench.clock.now_s() + 1.0)
        assert again.off_deg is not None
        assert bench.angle_deg % 360 == pytest.approx(zero_deg % 360, abs=1.0)
        await axis.close()


@pytest.fixture
def slow_table(card: GreyCard, tmp_path: Path) -> Iterator[Bench]:
    """Answers late, so that a stop overtakes the answer to the order before it."""
    with install_bench(card, SPEED, turntable=SerialWiring("table", tmp_path / "port")) as bench:
        table_of(bench).reply_delay_s = 1.5
        yield bench


@pytest.fixture
async def table_axis(slow_table: Bench, tmp_path: Path) -> AsyncIterator[TableAxis]:
    axis = TableAxis(SerialAxisOptions(port=str(tmp_path / "port"), phrases=WORDS), slow_table.clock)
    await axis.home()
    yield axis
    await axis.close()


async def test_a_stop_that_overtakes_an_answer_is_no_lost_byte(slow_table: Bench, table_axis: TableAxis) -> None:
    move = asyncio.create_task(table_axis.move_to(FAR_DEG))
    await holds(lambda: table_of(slow_table).firmware.moving)
    move.cancel()
    with pytest.raises(asyncio.CancelledError):
        await move
    stopped_deg = table_axis.angle_deg
    assert stopped_deg == pytest.approx(slow_table.world.platter.settled_angle_deg, abs=0.11)
    assert await table_axis.move_to(stopped_deg + 20) == pytest.approx(stopped_deg + 20, abs=0.11)


async def test_what_a_halted_table_still_answers_is_taken_for_nothing_else(
    slow_table: Bench, table_axis: TableAxis
) -> None:
    move = asyncio.create_task(table_axis.move_to(FAR_DEG))
    await holds(lambda: table_of(slow_table).firmware.moving)
    table_axis.emergency_stop()
    with pytest.raises(EmergencyStopped):
        await move
    await table_axis.home()
    assert await table_axis.move_to(5) == pytest.approx(5, abs=0.11)


async def test_a_stop_while_it_stands_does_not_keep_the_table_from_its_next_move(
    slow_table: Bench, table_axis: TableAxis
) -> None:
    table_axis.emergency_stop()
    await holds(lambda: not slow_table.motor_enabled)
    await table_axis.home()
    assert await table_axis.move_to(5) == pytest.approx(5, abs=0.11)
