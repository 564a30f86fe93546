"""The lift behind a serial controller, its own or the turntable's second axis: it keeps what `Axis` promises."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from under_way import FAR_DEG, holds, under_way

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.serial_table import SecondAxis, SerialTable, SerialWiring
from drivers.options_serial import SerialAxisOptions
from drivers.protocols import Axis, AxisNotHomed, EmergencyStopped, LinkBroken, OutsideLimits
from drivers.registry import axis_driver

SPEED = 8.0
STEP_DEG = 0.01125
START_DEG = 10.0
NEAR_DEG = 2 * STEP_DEG
LIFT = SerialAxisOptions(
    name="lift", max_speed_deg_s=20.0, acceleration_deg_s2=40.0, soft_limits_deg=(5.0, 80.0), home_deg=START_DEG
)


@dataclass
class Rig:
    """A bench with a serial lift, and what it takes to build its axes."""

    bench: Bench
    kind: str
    table: SerialAxisOptions
    lift: SerialAxisOptions
    shared: bool

    @property
    def controller(self) -> SerialTable:
        found = self.bench.table if self.shared else self.bench.lift_table
        assert found is not None
        return found

    def build(self, options: SerialAxisOptions, **changes: object) -> Axis:
        axis: Axis = axis_driver(self.kind)(replace(options, **changes), self.bench.clock)
        return axis

    @property
    def elevation_deg(self) -> float:
        elevation_deg = self.bench.world.camera_elevation_deg
        assert elevation_deg is not None
        return elevation_deg


@pytest.fixture(params=["grbl own", "grbl shared", "marlin own", "marlin shared", "grbl mm own"])
def rig(request: pytest.FixtureRequest, card: GreyCard, tmp_path: Path) -> Iterator[Rig]:
    kind: Any = request.param.split()[0]
    shared = request.param.endswith("shared")
    units = 720.0 if "mm" in request.param else 360.0
    table_port, lift_port = tmp_path / "scanner-turntable", tmp_path / "scanner-lift"
    arm = LiftMechanics(step_deg=STEP_DEG, start_deg=START_DEG)
    if shared:
        table = SerialWiring(kind, table_port, beside=SecondAxis("Y", units))
        lift = replace(LIFT, port=str(table_port), letter="Y")
        own = None
    else:
        table = SerialWiring(kind, table_port)
        own = SerialWiring(kind, lift_port, units_per_turn=units, moves="lift")
        lift = replace(LIFT, port=str(lift_port), units_per_turn=units)
    with install_bench(card, SPEED, lift=arm, turntable=table, lift_controller=own) as bench:
        yield Rig(bench, kind, SerialAxisOptions(port=str(table_port)), lift, shared)


@pytest.fixture
async def axes(rig: Rig) -> AsyncIterator[tuple[Axis, Axis]]:
    async with built(rig) as both:
        yield both


@asynccontextmanager
async def built(rig: Rig, **lift_changes: object) -> AsyncIterator[tuple[Axis, Axis]]:
    table, lift = rig.build(rig.table), rig.build(rig.lift, **lift_changes)
    await table.home()
    await lift.believe(START_DEG)
    yield table, lift
    await lift.close()
    await table.close()


async def test_platter_and_camera_truly_go_where_each_is_sent(rig: Rig, axes: tuple[Axis, Axis]) -> None:
    table, lift = axes
    for angle_deg, elevation_deg in ((30.0, 40.0), (90.0, 15.0)):
        assert await lift.move_to(elevation_deg) == pytest.approx(elevation_deg, abs=STEP_DEG)
        assert rig.elevation_deg == pytest.approx(elevation_deg, abs=NEAR_DEG)
        assert await table.move_to(angle_deg) == pytest.approx(angle_deg, abs=rig.bench.step_deg)
        assert rig.elevation_deg == pytest.approx(elevation_deg, abs=NEAR_DEG), "the camera stays meanwhile"
    assert rig.bench.world.platter.settled_angle_deg == pytest.approx(90.0, abs=rig.bench.step_deg)


async def test_moves_that_are_asked_for_at_once_both_arrive(rig: Rig, axes: tuple[Axis, Axis]) -> None:
    table, lift = axes
    await asyncio.gather(table.move_to(45.0), lift.move_to(25.0))
    assert rig.bench.world.platter.settled_angle_deg == pytest.approx(45.0, abs=rig.bench.step_deg)
    assert rig.elevation_deg == pytest.approx(25.0, abs=NEAR_DEG)


async def test_a_lift_that_is_let_go_leaves_the_table_its_current(rig: Rig, axes: tuple[Axis, Axis]) -> None:
    table, lift = axes
    await table.move_to(10.0)
    await lift.move_to(20.0)
    await lift.release()
    assert rig.bench.motor_enabled
    if not (rig.shared and rig.kind == "grbl"):
        assert not rig.bench.lift_enabled
    await table.release()
    assert not rig.bench.motor_enabled
    assert not rig.bench.lift_enabled
    await lift.move_to(12.0)
    assert rig.elevation_deg == pytest.approx(12.0, abs=NEAR_DEG)
    await table.move_to(0.0)
    assert rig.bench.world.platter.settled_angle_deg == pytest.approx(0.0, abs=rig.bench.step_deg)


@pytest.fixture
async def slow_lift(rig: Rig) -> AsyncIterator[tuple[Axis, Axis]]:
    """The lift takes so long that it is met under way."""
    async with built(rig, max_speed_deg_s=2.0) as both:
        yield both


async def test_cancelling_the_lift_brakes_and_its_place_stays_true(rig: Rig, slow_lift: tuple[Axis, Axis]) -> None:
    _, lift = slow_lift
    move = asyncio.create_task(lift.move_to(80.0))
    await holds(lambda: rig.elevation_deg > START_DEG + 2)
    move.cancel()
    with pytest.raises(asyncio.CancelledError):
        await move
    assert START_DEG < lift.angle_deg < 79.0
    assert rig.elevation_deg == pytest.approx(lift.angle_deg, abs=NEAR_DEG)


async def test_an_emergency_stop_ends_both_and_all_current(rig: Rig, slow_lift: tuple[Axis, Axis]) -> None:
    table, lift = slow_lift
    moves = [asyncio.create_task(table.move_to(FAR_DEG)), asyncio.create_task(lift.move_to(70.0))]
    await under_way(rig.bench)
    for axis in slow_lift:
        axis.emergency_stop()
    for move in moves:
        with pytest.raises(EmergencyStopped):
            await move
    for axis in slow_lift:
        with pytest.raises(AxisNotHomed):
            _ = axis.angle_deg
    stopped_deg = rig.elevation_deg
    assert stopped_deg < 69.0
    await table.home()
    await lift.believe(stopped_deg)
    await lift.move_to(stopped_deg + 5)
    assert rig.elevation_deg == pytest.approx(stopped_deg + 5, abs=NEAR_DEG)


async def test_a_pulled_cable_loses_every_axis_of_its_controller_and_no_other(
    rig: Rig, axes: tuple[Axis, Axis]
) -> None:
    table, lift = axes
    rig.controller.unplug()
    rig.controller.plug_in()
    with pytest.raises(LinkBroken):
        await lift.move_to(30.0)
    with pytest.raises(AxisNotHomed):
        _ = lift.angle_deg
    if rig.shared:
        with pytest.raises(AxisNotHomed):
            _ = table.angle_deg
    else:
        assert table.angle_deg == 0.0
    await lift.believe(START_DEG)
    await lift.move_to(30.0)
    assert rig.elevation_deg == pytest.approx(30.0, abs=NEAR_DEG)


async def test_lost_bytes_are_told_and_both_keep_their_count(rig: Rig, axes: tuple[Axis, Axis]) -> None:
    table, lift = axes
    await table.move_to(20.0)
    rig.controller.drop_byte("host")
    with pytest.raises(LinkBroken):
        await lift.move_to(30.0)
    await lift.move_to(30.0)
    assert rig.elevation_deg == pytest.approx(30.0, abs=NEAR_DEG)
    assert table.angle_deg == pytest.approx(20.0, abs=rig.bench.step_deg)
    await table.move_to(0.0)
    assert rig.bench.world.platter.settled_angle_deg == pytest.approx(0.0, abs=rig.bench.step_deg)


async def test_soft_limits_hold_and_a_reversed_lift_is_mended(rig: Rig) -> None:
    lift = rig.build(rig.lift, reversed=True)
    await lift.believe(20.0)
    with pytest.raises(OutsideLimits, match=r"lift: 85.00° is outside its soft limits 5.00° to 80.00°"):
        await lift.move_to(85.0)
    rig.bench.world.put_camera(40.0)
    await lift.move_to(25.0)
    assert rig.elevation_deg == pytest.approx(35.0, abs=NEAR_DEG)
    await lift.close()


async def test_either_axis_may_close_first_and_come_again(rig: Rig, axes: tuple[Axis, Axis]) -> None:
    table, lift = axes
    await lift.close()
    await table.move_to(15.0)
    assert rig.bench.world.platter.settled_angle_deg == pytest.approx(15.0, abs=rig.bench.step_deg)
    again = rig.build(rig.lift)
    await again.believe(START_DEG)
    await table.close()
    await again.move_to(20.0)
    assert rig.elevation_deg == pytest.approx(20.0, abs=NEAR_DEG)
    await again.close()
    assert not rig.bench.lift_enabled
