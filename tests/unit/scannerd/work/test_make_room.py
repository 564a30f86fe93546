"""A scan is started on a disk that old scans fill."""

from dataclasses import replace
from pathlib import Path

import pytest
import store_story
from scan_on_bench import bench_config, of, running, until

from drivers.bench.install import Bench
from scannerd.commands import StartScan
from scannerd.config import Config
from scannerd.events import ScanDeleted, ScanEnded, Warned
from scannerd.scan.plan import plan_scan
from scannerd.store.durable import StoreFull
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.space import scan_bytes


def used_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def filled(config: Config) -> ScanStore:
    """Return a store with a safe scan, on a disk where three photos more would fit without it."""
    needed = scan_bytes(plan_scan(config, store_story.CAMERA, "new", store_story.WHEN), 3)
    store = ScanStore(StoreLayout(config.store.folder))
    store.prepare()
    with store.begin(store_story.a_plan("old"))[0] as scan:
        store_story.finish(scan)
    store_story.confirm(store, "old")
    capacity = used_bytes(config.store.folder) + needed - 1000
    return replace(store, free_bytes=lambda _: capacity - used_bytes(config.store.folder))


def settings(tmp_path: Path, retention: str) -> Config:
    config = bench_config(tmp_path, views=3)
    return config.model_copy(update={"store": config.store.model_copy(update={"retention": retention})})


@pytest.mark.parametrize("retention", ["never", "when_needed"])
async def test_a_safe_scan_makes_room_where_that_is_wanted_and_people_are_told(
    bench: Bench, tmp_path: Path, retention: str
) -> None:
    config = settings(tmp_path, retention)
    store = filled(config)
    async with running(config, bench, store) as daemon:
        if retention == "never":
            with pytest.raises(StoreFull, match="delete old scans"):
                await daemon.submit(StartScan("new"))
            assert store.scan_ids() == ["old"]
            return
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("new"))
        seen = await until(events, ScanEnded)
    assert store.scan_ids() == ["new"]
    assert [event.scan_id for event in of(ScanDeleted, seen)] == ["old"]
    told = [event.message for event in of(Warned, seen)]
    assert any("scan old" in message and "removed to make room for new" in message for message in told)
