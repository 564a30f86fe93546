"""A question that follows right upon a pause: whoever goes on is asked for something before anything moves."""

from pathlib import Path

from scan_on_bench import bench_config, of, running, until

from drivers.bench.install import Bench
from scannerd.commands import Pause, Resume, StartScan
from scannerd.events import Outcome, PhaseChanged, ScanEnded, ScanPaused
from scannerd.scan.phases import Phase


async def test_a_pause_after_a_rings_last_photo_is_followed_by_the_question(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", rings=2))
        async for event in events:
            if isinstance(event, PhaseChanged) and (event.phase, event.index) == (Phase.CAPTURING, 2):
                break
        await daemon.submit(Pause())
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.question is None
        await daemon.submit(Resume())
        (asked,) = of(ScanPaused, await until(events, ScanPaused))
        assert "ring 2 of 2: move the camera" in str(asked.question)
        scan = daemon.board.state().scan
        assert scan is not None
        assert scan.question == asked.question
        await daemon.submit(Resume())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 6)
