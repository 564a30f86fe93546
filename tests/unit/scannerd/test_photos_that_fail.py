"""Photos that are blurred, too bright, or find no room on the disk: what is retaken, and what is asked."""

from pathlib import Path

import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until
from sealed_scan import assert_sound

from drivers.bench.install import Bench
from scannerd.commands import Resume, StartScan, Stop
from scannerd.events import FrameJudged, FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.store.durable import StoreFull
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore


async def test_a_blurred_photo_is_taken_again(bench: Bench, pictures: OverheadCamera, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, FrameStored, 2)
        pictures.blur_next = 1
        seen += await until(events, ScanEnded)
    judged = [(event.index, event.attempt, event.verdict) for event in of(FrameJudged, seen)]
    blurred = [entry for entry in judged if entry[2] == "retake"]
    assert len(blurred) == 1
    assert (blurred[0][0], 2, "accept") in judged
    assert of(ScanEnded, seen)[0].retakes == 1
    manifest = assert_sound(config, "cup", views=4)
    assert manifest.frames[blurred[0][0]].attempt == 2


async def test_when_retakes_do_not_help_a_person_is_asked_once(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
        pictures.blur_px = 5.0
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.question is not None
        assert "px wide" in paused.question or "corners of the mat seen" in paused.question
        await daemon.submit(Resume())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
    assert ended.outcome is Outcome.COMPLETED


async def test_an_overexposed_scan_asks_at_the_first_photo_only(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    pictures.brightness = 2.0
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 0.01")
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.question is not None
        assert "of the middle is blown out, limit 1%" in paused.question
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED


async def test_nobody_is_asked_when_the_config_says_so(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    pictures.brightness = 2.0
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 0.01\nask_a_person = false")
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED


async def test_a_disk_that_fills_up_pauses_the_scan_and_resume_goes_on(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: free[0])
    async with running(config, bench, store) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        free[0] = 1000
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert "free some space, then resume" in (paused.question or "")
        await daemon.submit(Resume())
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        free[0] = 1_000_000_000
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    assert assert_sound(config, "cup").frames[-1].attempt == 1, "no photo was taken twice"


async def test_a_scan_that_is_stopped_while_the_disk_is_full_can_be_resumed(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: free[0])
    async with running(config, bench, store) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        free[0] = 1000
        await until(events, ScanPaused)
        await daemon.submit(Stop())
        assert not bench.board.enabled
        assert daemon.interrupted == "cup"
        with pytest.raises(StoreFull, match="need"):
            await daemon.submit(Resume())
        free[0] = 1_000_000_000
        await daemon.submit(Resume())
        await until(events, ScanEnded, 2)
    assert_sound(config, "cup")


async def test_a_scan_that_would_not_fit_is_refused_before_anything_moves(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: 1_000_000)
    async with running(config, bench, store) as daemon:
        with pytest.raises(StoreFull, match="6 photos of 640x480"):
            await daemon.submit(StartScan("cup"))
    assert bench.world.pulses == 0
    assert store.scan_ids() == []
