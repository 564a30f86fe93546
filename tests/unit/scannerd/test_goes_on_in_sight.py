"""A scan that goes on is shown as running from its first moment, also while its photos are still being verified."""

from pathlib import Path

from scan_on_bench import bench_config, of, running, until

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.board.state import DeviceState
from scannerd.commands import ResumeScan, StartScan
from scannerd.event_bus import Numbered
from scannerd.events import FramesLost, FrameStored, Outcome, PhaseChanged, ScanEnded, ScanStarted
from scannerd.scan.phases import Phase
from scannerd.store.layout import StoreLayout


def watched(daemon: Daemon) -> list[DeviceState]:
    """Return what everybody was shown after each change of phase; grows."""
    shown: list[DeviceState] = []

    def look(numbered: Numbered) -> None:
        if isinstance(numbered.event, PhaseChanged) and numbered.event.phase is not Phase.IDLE:
            shown.append(daemon.board.state())

    daemon.events.follow(look)
    return shown


async def test_no_phase_of_a_scan_is_shown_without_the_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        shown = watched(daemon)
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
    assert {state.scan.scan_id if state.scan else None for state in shown} == {"cup"}
    async with running(config, bench) as daemon:
        shown = watched(daemon)
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        await until(events, ScanEnded)
    assert shown[0].phase is Phase.PREPARING
    assert {state.scan.scan_id if state.scan else None for state in shown} == {"cup"}
    assert {state.unfinished for state in shown} == {()}, "offered while it runs"


async def test_photos_that_were_damaged_meanwhile_are_told_and_taken_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
    photo = StoreLayout(tmp_path).scan("cup").frame(1)
    photo.write_bytes(photo.read_bytes()[:-1])
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        seen = await until(events, FramesLost)
        (started,), (lost,) = of(ScanStarted, seen), of(FramesLost, seen)
        assert lost.indices == (1,)
        assert lost.frames_done == started.frames_done - 1
        scan = daemon.board.state().scan
        assert scan is not None
        assert scan.frames_done == lost.frames_done
        seen = await until(events, ScanEnded)
        assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
        assert 1 in [stored.index for stored in of(FrameStored, seen)]
