"""What befalls the cable of a serial turntable while a scan runs: told, tried again, each photo's angle true."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from scan_on_bench import bench_config, of, running, until
from true_angles import SigningCamera, faults_in_angles

from drivers.bench.install import Bench, install_bench
from drivers.bench.serial_table import SerialTable, SerialWiring
from scannerd.app import Daemon
from scannerd.commands import Resume, StartScan
from scannerd.config import Config
from scannerd.event_bus import Subscription
from scannerd.events import Event, FrameStored, Outcome, ScanEnded, ScanPaused, Warned
from scannerd.fault_kind import FaultKind
from scannerd.store.layout import StoreLayout

SPEED = 20.0
VIEWS = 6
Kind = Literal["grbl", "marlin"]


@pytest.fixture(params=["grbl", "marlin"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def bench(kind: Kind, tmp_path: Path) -> Iterator[Bench]:
    wiring = SerialWiring(kind, tmp_path / "dev" / "scanner-turntable", units_per_turn=360.0)
    with install_bench(SigningCamera(), SPEED, turntable=wiring) as installed:
        yield installed


@pytest.fixture
def config(kind: Kind, tmp_path: Path) -> Config:
    config = bench_config(tmp_path / "store", VIEWS, "max_cut_off_fraction = 1.0")
    turntable = config.turntable.model_copy(
        update={"driver": kind, "port": str(tmp_path / "dev" / "scanner-turntable")}
    )
    return config.model_copy(
        update={"turntable": turntable, "scan": config.scan.model_copy(update={"propose": False})}
    )


def table_of(bench: Bench) -> SerialTable:
    assert bench.table is not None
    return bench.table


def complete(config: Config, seen: list[Event]) -> None:
    (ended,) = of(ScanEnded, seen)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS), ended.error
    assert faults_in_angles(StoreLayout(config.store.folder).scan("cup")) == []


async def begun(daemon: Daemon) -> Subscription:
    events = daemon.events.subscribe()
    await daemon.submit(StartScan("cup"))
    await until(events, FrameStored, 2)
    return events


async def test_a_scan_on_a_serial_table_is_a_scan(bench: Bench, config: Config) -> None:
    async with running(config, bench) as daemon:
        events = await begun(daemon)
        seen = await until(events, ScanEnded)
    complete(config, seen)
    assert of(Warned, seen) == []
    assert not bench.motor_enabled


LOSSES: dict[str, Callable[[SerialTable], None]] = {
    "dropped byte": lambda table: table.drop_byte("host"),
    "garbled byte": lambda table: table.garble_byte(),
    "byte dropped on the way there": lambda table: table.drop_byte("controller"),
    "reset in the middle": lambda table: table.reset(),
    "alarm": lambda table: table.alarm(),
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_lost_bytes_are_told_and_tried_again(bench: Bench, config: Config, loss: str, kind: Kind) -> None:
    async with running(config, bench) as daemon:
        events = await begun(daemon)
        LOSSES[loss](table_of(bench))
        seen = await until(events, ScanEnded)
    complete(config, seen)
    mended_by_checksum = kind == "marlin" and loss == "byte dropped on the way there"
    told = [warned for warned in of(Warned, seen) if warned.fault_kind is FaultKind.LINK_BROKEN]
    assert told or mended_by_checksum, of(Warned, seen)


async def test_a_pulled_cable_pauses_and_goes_on_once_it_is_back(bench: Bench, config: Config) -> None:
    async with running(config, bench) as daemon:
        events = await begun(daemon)
        table_of(bench).unplug()
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.fault_kind is FaultKind.LINK_BROKEN
        assert "Resume" in str(paused.question)
        bench.world.platter.turn_by_hand(77.0, bench.clock.now_s())
        table_of(bench).plug_in()
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    complete(config, seen)


async def test_a_cable_that_is_soon_back_needs_nobody(bench: Bench, config: Config) -> None:
    async with running(config, bench) as daemon:
        events = await begun(daemon)
        table_of(bench).unplug()
        bench.world.platter.turn_by_hand(-40.0, bench.clock.now_s())
        table_of(bench).plug_in()
        seen = await until(events, ScanEnded)
    complete(config, seen)
    assert any(warned.fault_kind is FaultKind.LINK_BROKEN for warned in of(Warned, seen))
