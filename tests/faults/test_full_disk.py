"""A disk that is truly full, in the middle of a scan: a small file system of its own that something else fills up."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import store_story
from lossless import faults_of_sealed, strays_in
from scan_on_bench import OverheadCamera, bench_config, of, running, until

from drivers.bench.install import install_bench
from scannerd.commands import Resume, StartScan
from scannerd.event_bus import Numbered
from scannerd.events import FrameStored, Outcome, ScanDeleted, ScanEnded, ScanPaused, Warned
from scannerd.store.durable import free_bytes_at
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

VIEWS = 5
SIZE_MB = 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"NO FULL DISK TRIED: a file system of its own needs root: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write until the kernel refuses, as somebody's film does."""
    film = disk / "film"
    with film.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(100_000))
        except OSError:
            pass
    assert os.statvfs(disk).f_bavail == 0
    return film


@pytest.mark.parametrize("forecast", ["sees it coming", "does not see it"])
async def test_a_scan_waits_for_room_and_goes_on(small_disk: Path, forecast: str) -> None:
    blind = forecast == "does not see it"
    store = ScanStore(StoreLayout(small_disk), free_bytes=(lambda _: 10**12) if blind else free_bytes_at)
    with install_bench(OverheadCamera(), speed=20.0) as bench:
        async with running(bench_config(small_disk, views=VIEWS), bench, store) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored)
            film = fill(small_disk)
            paused = of(ScanPaused, await until(events, ScanPaused))[0]
            assert "free some space" in str(paused.question), "what to do is said"
            assert strays_in(small_disk) == [], "nothing half written is left on a full disk"
            film.unlink()
            await daemon.submit(Resume())
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS)
    assert faults_of_sealed(store.layout.scan("cup"), VIEWS) == []


async def test_a_scan_that_cannot_be_sealed_waits_for_room_too(small_disk: Path) -> None:
    films: list[Path] = []

    def film_when_all_is_there(numbered: Numbered) -> None:
        if isinstance(numbered.event, FrameStored) and numbered.event.frames_done == VIEWS:
            films.append(fill(small_disk))

    with install_bench(OverheadCamera(), speed=20.0) as bench:
        async with running(bench_config(small_disk, views=VIEWS), bench) as daemon:
            events = daemon.events.subscribe()
            daemon.events.follow(film_when_all_is_there)
            await daemon.submit(StartScan("cup"))
            await until(events, ScanPaused)
            films[0].unlink()
            await daemon.submit(Resume())
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert ended.outcome is Outcome.COMPLETED
    assert faults_of_sealed(StoreLayout(small_disk).scan("cup"), VIEWS) == []


@pytest.mark.parametrize("safe", ["from the start", "while the scan waits"])
async def test_an_old_scan_that_the_service_has_makes_room_within_a_scan(small_disk: Path, safe: str) -> None:
    store = ScanStore(StoreLayout(small_disk))
    store.prepare()
    for scan_id in ("old", "unsent"):
        with store.begin(store_story.a_plan(scan_id))[0] as scan:
            store_story.finish(scan)
        store.layout.scan(scan_id).results.mkdir()
        (store.layout.scan(scan_id).results / "model.glb").write_bytes(bytes(8_000_000))
    store_story.confirm(store, "old")
    confirmed, sync = store.layout.scan("old").sync.read_bytes(), store.layout.scan("old").sync
    if safe != "from the start":
        sync.write_bytes(confirmed.replace(b'"results_in_place":true', b'"results_in_place":false'))
    config = bench_config(small_disk, views=VIEWS)
    retention = config.store.model_copy(update={"retention": "when_needed", "keep_days": 0})
    with install_bench(OverheadCamera(), speed=20.0) as bench:
        async with running(config.model_copy(update={"store": retention}), bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            seen = await until(events, FrameStored)
            fill(small_disk)
            if safe != "from the start":
                seen += await until(events, ScanPaused)
                with sync.open("rb+") as file:
                    file.write(confirmed)  # In place: a full disk has no room for another file.
                    file.truncate()
            seen += await until(events, ScanEnded)
    ended = of(ScanEnded, seen)[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS)
    assert len(of(ScanPaused, seen)) == (safe != "from the start"), "nobody had to do anything"
    assert [event.scan_id for event in of(ScanDeleted, seen)] == ["old"]
    assert any("scan old" in event.message and "to make room for cup" in event.message for event in of(Warned, seen))
    assert b'"scan_id": "old"' in store.layout.removed.read_bytes()
    assert sorted(store.scan_ids()) == ["cup", "unsent"], "what only this disk has stays"
    assert faults_of_sealed(store.layout.scan("cup"), VIEWS) == []
