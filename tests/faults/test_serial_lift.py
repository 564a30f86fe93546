"""Scans of two rings whose table and lift hang on one board, or on two: every photo from its true place."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scan_on_bench import bench_config, of, running, until
from true_angles import SigningCamera, faults_in_angles

from drivers.bench.install import Bench, install_bench
from drivers.bench.scene import Exposure
from scannerd.commands import Resume, StartScan
from scannerd.config import Config
from scannerd.config_motors import LiftSection
from scannerd.demo.setting import demo_lift
from scannerd.demo.turntables import lift_keys, serial_lift, serial_turntable, turntable_keys
from scannerd.events import FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.fault_kind import FaultKind
from scannerd.store.layout import StoreLayout

SPEED = 20.0
VIEWS = 5
RINGS_DEG = (20.0, 45.0)
PATIENCE_S = 60
MOST_QUESTIONS = 4


@dataclass
class HighCamera(SigningCamera):
    """Notes from which heights it was used."""

    def __init__(self) -> None:
        super().__init__()
        self.elevations_deg: list[float] = []

    def __call__(self, exposure: Exposure, out: object, /) -> None:
        super().__call__(exposure, out)  # type: ignore[arg-type]
        if exposure.elevation_deg is not None:
            self.elevations_deg.append(exposure.elevation_deg)


@dataclass
class Rig:
    bench: Bench
    camera: HighCamera
    config: Config


@pytest.fixture(params=["grbl shared", "marlin shared", "grbl own"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    kind, where = request.param.split()
    config = bench_config(tmp_path / "store", VIEWS, "max_cut_off_fraction = 1.0")
    table = config.turntable.model_copy(update=turntable_keys(kind, kind, tmp_path))
    port = config.turntable.port if where == "shared" else "/dev/scanner-lift"
    lift = LiftSection(driver=kind, port=port, axis="Y", step_deg=0.05, lowest_deg=10, highest_deg=70, home_deg=10)
    scan = config.scan.model_copy(update={"propose": False, "rings": 2, "ring_elevations_deg": RINGS_DEG})
    keys = lift_keys(config.model_copy(update={"lift": lift}), tmp_path)
    config = config.model_copy(update={"turntable": table, "lift": lift.model_copy(update=keys), "scan": scan})
    camera, wiring = HighCamera(), serial_turntable(config)
    with install_bench(
        camera, SPEED, lift=demo_lift(config), turntable=wiring, lift_controller=serial_lift(config)
    ) as bench:
        yield Rig(bench, camera, config)


async def test_both_rings_are_photographed_from_their_height(rig: Rig) -> None:
    async with running(rig.config, rig.bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, ScanPaused)  # Nobody knows where the camera stands: it is at its mark.
        await daemon.submit(Resume())
        seen += await until(events, ScanEnded)
    (ended,) = of(ScanEnded, seen)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 2 * VIEWS), ended.error
    assert faults_in_angles(StoreLayout(rig.config.store.folder).scan("cup")) == []
    for ring_deg in RINGS_DEG:
        assert any(abs(elevation_deg - ring_deg) < 0.1 for elevation_deg in rig.camera.elevations_deg), ring_deg
    assert not rig.bench.motor_enabled
    assert not rig.bench.lift_enabled


async def test_a_cable_pulled_between_the_rings_costs_no_photo(rig: Rig) -> None:
    assert rig.bench.table is not None
    async with running(rig.config, rig.bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, ScanPaused)
        await daemon.submit(Resume())
        await until(events, FrameStored, VIEWS - 1)
        rig.bench.table.unplug()
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.fault_kind is FaultKind.LINK_BROKEN
        rig.bench.table.plug_in()
        await daemon.submit(Resume())
        asked: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            async for event in events:
                if isinstance(event, ScanPaused):
                    asked.append(str(event.question))
                    assert len(asked) < MOST_QUESTIONS, asked
                    rig.bench.world.put_camera(10.0)  # A person puts it to its mark, where that is asked.
                    await daemon.submit(Resume())
                if isinstance(event, ScanEnded):
                    break
    ended = event
    assert isinstance(ended, ScanEnded)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 2 * VIEWS), ended.error
    assert faults_in_angles(StoreLayout(rig.config.store.folder).scan("cup")) == []
