"""Faults by name: what is refused, when they strike, and that a scan with several of them comes to all its photos."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from scan_on_bench import SPEED, bench_config, running
from true_angles import SigningCamera, faults_in_angles

from drivers.bench.footing import holds_deg_s2
from drivers.bench.install import install_bench
from drivers.bench.pins import BenchWiring
from drivers.bench.supply import SimulatedSupply
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.config_panel import EmergencyStopSection
from scannerd.demo.accidents import Accidents, Then
from scannerd.demo.faults import FAULTS, Disk, Surroundings, faults_named
from scannerd.demo.options import DemoOptions
from scannerd.demo.setting import demo_config, demo_mechanics
from scannerd.demo.stage import demo_object
from scannerd.demo.turntables import Turntable, serial_turntable
from scannerd.events import Outcome, ScanEnded
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

SEVERAL = ("jam", "emergency-stop", "lose-steps", "turn-platter", "disk-full", "camera-unplugged")
VIEWS = 20
SERIAL_SPEED = 20.0
"""A byte takes its time on a real pseudo-terminal, whatever the bench's clock says."""


async def scan_through(accidents: Accidents, daemon: Daemon) -> ScanEnded:
    """Scan with these accidents, and return the end that no hand comes after."""
    events = daemon.events.subscribe()
    await daemon.submit(StartScan("cup"))
    async for event in events:
        then = await accidents.take(event, daemon)
        if isinstance(event, ScanEnded) and then is not Then.REVIVED:
            return event
    raise AssertionError("the daemon went down")


def test_a_list_of_all_faults_is_printed_and_another_name_is_refused(tmp_path: Path) -> None:
    def demo(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scannerd", "demo", "--out", str(tmp_path / "out"), "--fault", name]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    listed = demo("list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(FAULTS)
    refused = demo("earthquake")
    assert refused.returncode == 2
    assert "earthquake" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "out").exists()


def test_every_fault_fits_to_the_settings_and_to_the_bench(tmp_path: Path) -> None:
    options = DemoOptions(tmp_path, faults=tuple(FAULTS))
    config = demo_config(options)
    assert type(config).model_validate(config.model_dump()) == config
    assert demo_mechanics(options).backlash_deg == 1.0
    assert not demo_config(DemoOptions(tmp_path)).quality.ask_a_person, "nobody is there without faults"


def test_what_the_turntable_and_the_object_are_built_with_is_the_faults_and_the_seeds(tmp_path: Path) -> None:
    first, other = (demo_mechanics(DemoOptions(tmp_path, faults=("bearing-wobble",), seed=seed)) for seed in (1, 2))
    assert first.wobble.tilt_deg == other.wobble.tilt_deg == 0.3
    assert first.wobble != other.wobble
    sliding = demo_mechanics(DemoOptions(tmp_path, faults=("sliding-object",)))
    profile = demo_config(DemoOptions(tmp_path, faults=("sliding-object",))).turntable
    assert holds_deg_s2(sliding) < profile.acceleration_deg_s2
    assert holds_deg_s2(demo_mechanics(DemoOptions(tmp_path))) == math.inf
    mesh = tmp_path / "thing.obj"
    mesh.write_text("v 0 0 0\nv 10 0 0\nv 0 10 0\nv 0 0 10\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    assert demo_object(DemoOptions(tmp_path, mesh, faults=("glossy-object",))).gloss == 0.04
    assert demo_object(DemoOptions(tmp_path, mesh)).gloss == 0


def test_a_fault_of_a_cable_is_refused_where_there_is_none_and_says_what_it_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scannerd", "demo", "--out", str(tmp_path / "out"), "--fault", "unplug"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "unplug" in refused.stderr
    assert "--turntable" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "out").exists()


async def test_a_scan_with_several_faults_has_all_its_photos_and_says_what_was_done(tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=VIEWS, more="max_cut_off_fraction = 1.0")
    config = config.model_copy(update={"emergency_stop": EmergencyStopSection(driver="gpio")})
    disk = Disk()
    store = ScanStore(StoreLayout(tmp_path), free_bytes=disk.free_bytes)
    accidents = Accidents(faults_named(SEVERAL), VIEWS, seed=5)
    with install_bench(SigningCamera(), SPEED, BenchWiring(emergency_stop_pin=22)) as bench:
        accidents.begin(Surroundings(bench, SimulatedSupply(tmp_path / "sysfs"), disk))
        async with running(config, bench, store) as daemon:
            ended = await scan_through(accidents, daemon)
        assert not bench.board.enabled
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS)
    assert sorted(met.fault for met in accidents.met) == sorted(SEVERAL)
    for met in accidents.met:
        assert met.daemon, met
    assert not faults_in_angles(store.layout.scan("cup"))


@pytest.mark.slow
@pytest.mark.parametrize("turntable", ["grbl", "marlin", "table"])
async def test_a_scan_on_a_serial_table_meets_every_fault_of_its_cable(tmp_path: Path, turntable: Turntable) -> None:
    faults = tuple(fault.name for fault in FAULTS.values() if fault.on_serial)
    options = DemoOptions(tmp_path, faults=faults, turntable=turntable)
    demo = demo_config(options)
    config = bench_config(tmp_path, views=VIEWS, more="max_cut_off_fraction = 1.0")
    config = config.model_copy(update={"turntable": demo.turntable})
    accidents = Accidents(faults_named(faults), VIEWS, seed=3)
    with install_bench(SigningCamera(), SERIAL_SPEED, turntable=serial_turntable(config)) as bench:
        accidents.begin(Surroundings(bench, SimulatedSupply(tmp_path / "sysfs"), Disk()))
        store = ScanStore(StoreLayout(tmp_path))
        async with running(config, bench, store) as daemon:
            ended = await scan_through(accidents, daemon)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS), ended.error
    assert sorted(met.fault for met in accidents.met) == sorted(faults)
    (unplugged,) = [met for met in accidents.met if met.fault == "unplug"]
    assert any("a hand put it right" in line for line in unplugged.lines), unplugged
    assert not faults_in_angles(store.layout.scan("cup"))


def test_the_seed_decides_when(tmp_path: Path) -> None:
    def order(seed: int) -> list[str]:
        return [fault.name for _, fault in Accidents(faults_named(SEVERAL), VIEWS, seed)._due]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize("names", [["jam", "jam"], ["jam"]])
def test_a_fault_that_is_named_twice_strikes_once(names: list[str]) -> None:
    assert [fault.name for fault in faults_named(names)] == ["jam"]
