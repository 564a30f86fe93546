"""What a scan that was interrupted shows already, from its files alone."""

import pytest
from turntable_scan import SCAN_ID, taken_scan
from turntable_seen import BenchTurn

from scannerd.commands import CommandRefused, ExtendScan
from scannerd.coverage.recall import recalled
from scannerd.event_bus import EventBus
from scannerd.events import ScanExtended
from scannerd.work.archive import Archive
from scannerd.worker_thread import WorkerThread


def test_sidecars_tell_as_much_as_photos_did(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(views=24)], seal=False)
    with store.open(SCAN_ID) as scan:
        report = recalled(scan.folder, scan.plan, scan.frames.values()).report()
    assert report is not None
    assert report.photos == 24
    assert report.covered_share == pytest.approx(0.857, abs=0.03)


def test_a_sidecar_that_cannot_be_read_is_left_out(tmp_path, caplog):
    store = taken_scan(tmp_path, [BenchTurn(views=24)], seal=False)
    (store.layout.scan(SCAN_ID).frames / "0003.json").write_text("{")
    with store.open(SCAN_ID) as scan:
        report = recalled(scan.folder, scan.plan, scan.frames.values()).report()
    assert report is not None
    assert report.photos == 23
    assert "0003.json: cannot be used" in caplog.text


async def test_extending_without_saying_how_adds_what_is_proposed(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(elevation_deg=8.0, views=24)], seal=False)
    events, worker = EventBus(), WorkerThread("extending")
    heard = events.subscribe()
    try:
        await Archive(store, worker, events).extend(SCAN_ID, ExtendScan())
    finally:
        worker.close()
    event = await anext(heard)
    assert isinstance(event, ScanExtended)
    with store.open(SCAN_ID) as scan:
        added = scan.missing()
    assert len(added) == 12
    assert {view.ring for view in added} == {1}
    assert all(view.elevation_deg is not None and view.elevation_deg > 20 for view in added)


async def test_without_sidecars_nothing_can_be_proposed(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(views=12)], seal=False, mat=None)
    for mask in store.layout.scan(SCAN_ID).frames.glob("*.mask.png"):
        mask.unlink()
    worker = WorkerThread("extending")
    try:
        with pytest.raises(CommandRefused, match="say which photos to add"):
            await Archive(store, worker, EventBus()).extend(SCAN_ID, ExtendScan())
    finally:
        worker.close()
