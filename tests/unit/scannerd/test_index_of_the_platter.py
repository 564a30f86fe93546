"""An index on the platter gives the angle back where no mat does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from offload.wire.bundle import Manifest
from scannerd.commands import ResumeScan, StartScan
from scannerd.config import Config
from scannerd.config_motors import TurntableSection
from scannerd.events import FrameStored, ScanEnded, ScanStarted
from scannerd.scan.relocate import mat_corners, turned_deg
from scannerd.store.layout import StoreLayout
from scannerd.store.photo import read_grey


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(OverheadCamera(), speed=40, wiring=BenchWiring(index_pin=26)) as installed:
        yield installed


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The daemon is told of no mat; the photos show one all the same, and so the truth."""
    plain = bench_config(tmp_path)
    table = TurntableSection(index="active_low", index_pin=26)
    return plain.model_copy(update={"turntable": table, "mat": plain.mat.model_copy(update={"used": False})})


async def test_a_table_turned_by_hand_meanwhile_is_found_by_its_index(bench: Bench, config: Config) -> None:
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
    bench.world.platter.turn_by_hand(-77.0, bench.clock.now_s())
    await bench.clock.wait_until(bench.clock.now_s() + 5)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        seen = await until(events, ScanEnded)
    (started,) = of(ScanStarted, seen)
    assert 3 <= started.frames_done < 6
    assert true_angles_deg(config) == pytest.approx([0, 60, 120, 180, 240, 300], abs=0.3)


def true_angles_deg(config: Config) -> list[float]:
    """Return where each photo shows the mat, from the first photo on."""
    folder = StoreLayout(config.store.folder).scan("cup")
    mat = config.mat.model_copy(update={"used": True}).spec()
    assert mat is not None
    manifest = Manifest.model_validate_json(folder.manifest.read_bytes())
    corners = [mat_corners(read_grey(folder.frame(frame.index)), mat) for frame in manifest.frames]
    return [(turned_deg(corners[0], each) + 1) % 360 - 1 for each in corners]
