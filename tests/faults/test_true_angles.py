"""Whatever turns the platter, or keeps it from turning: each photo's angle in the manifest is where it truly was."""

from pathlib import Path

import pytest
from scan_on_bench import bench_config, of, running, until
from true_angles import SPEED, SigningCamera, faults_in_angles, scan_of

from drivers.bench.install import install_bench
from scannerd.commands import Resume, StartScan
from scannerd.config import Config
from scannerd.events import FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.fault_kind import FaultKind
from scannerd.store.layout import StoreLayout

JAMMED_AS_A_RING_BEGINS, TURNED_AS_A_RING_BEGINS = 12, 0


def config_of(folder: Path, idle_release_s: float = 30.0) -> Config:
    config = bench_config(folder, views=4)
    turntable = config.turntable.model_copy(update={"idle_release_s": idle_release_s})
    return config.model_copy(
        update={"turntable": turntable, "scan": config.scan.model_copy(update={"propose": False})}
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [TURNED_AS_A_RING_BEGINS, JAMMED_AS_A_RING_BEGINS, 5, 10])
def test_accidents_by_chance_leave_no_wrong_angle(seed: int) -> None:
    told = scan_of(seed)
    assert told.faults == [], told.happened


async def test_a_platter_turned_while_a_person_moves_the_camera_is_found(tmp_path: Path) -> None:
    with install_bench(SigningCamera(), SPEED) as bench:
        async with running(config_of(tmp_path, idle_release_s=0.0), bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup", rings=2))
            for by_deg in (-110.0, 0.0):
                seen = await until(events, ScanPaused)
                if "ring 2 of 2" in str(of(ScanPaused, seen)[0].question):
                    bench.world.platter.turn_by_hand(by_deg, bench.clock.now_s())
                    await daemon.submit(Resume())
                    break
                await daemon.submit(Resume())
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    assert faults_in_angles(StoreLayout(tmp_path).scan("cup")) == []


async def test_a_platter_that_jams_as_a_ring_begins_is_not_taken_to_stand_right(tmp_path: Path) -> None:
    with install_bench(SigningCamera(), SPEED) as bench:
        async with running(config_of(tmp_path), bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup", rings=2))
            await until(events, FrameStored, 4)
            bench.world.jammed = True
            jams, ended = 0, None
            async for event in events:
                if isinstance(event, ScanPaused):
                    jams += event.fault_kind is FaultKind.TURNTABLE_JAMMED
                    bench.world.jammed = jams == 0
                    await daemon.submit(Resume())
                if isinstance(event, ScanEnded):
                    ended = event
                    break
    assert jams == 1
    assert ended is not None
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    assert faults_in_angles(StoreLayout(tmp_path).scan("cup")) == []
