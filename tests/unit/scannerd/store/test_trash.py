from datetime import UTC, datetime
from pathlib import Path

import pytest

from offload.wire.bundle import CameraModel
from scannerd.config import Config
from scannerd.scan.plan import plan_scan
from scannerd.store.durable import StoreFault
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore, ScanUnknown
from scannerd.store.trash import DAY_S, Trash

CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    store = ScanStore(StoreLayout(tmp_path))
    store.prepare()
    for scan_id in ("cup", "jug"):
        scan, _ = store.begin(plan_scan(Config(), CAMERA, scan_id, datetime(2026, 1, 1, tzinfo=UTC)))
        scan.close()
    return store


def test_a_deleted_scan_comes_back_whole(store: ScanStore) -> None:
    trash, before = Trash(store.layout), store.layout.scan("cup").journal.read_bytes()
    trash.put("cup")
    assert (store.scan_ids(), trash.scan_ids()) == (["jug"], ["cup"])
    trash.restore("cup")
    assert (sorted(store.scan_ids()), trash.scan_ids()) == (["cup", "jug"], [])
    assert store.layout.scan("cup").journal.read_bytes() == before


def test_only_what_was_deleted_long_ago_is_forgotten(store: ScanStore) -> None:
    now_s = 2e9
    Trash(store.layout, lambda: now_s - 8 * DAY_S).put("cup")
    Trash(store.layout, lambda: now_s - 6 * DAY_S).put("jug")
    trash = Trash(store.layout, lambda: now_s)
    assert trash.forget(7) == ["cup"]
    assert trash.scan_ids() == ["jug"]
    with pytest.raises(ScanUnknown, match="cup"):
        trash.restore("cup")


def test_nothing_is_ever_overwritten(store: ScanStore) -> None:
    trash = Trash(store.layout)
    trash.put("cup")
    scan, _ = store.begin(plan_scan(Config(), CAMERA, "cup", datetime(2026, 1, 2, tzinfo=UTC)))
    scan.close()
    for move in (trash.put, trash.restore):
        with pytest.raises(StoreFault, match="is there already"):
            move("cup")
    assert store.plan("cup").created_at.day == 2


def test_a_scan_that_is_not_there_cannot_be_deleted(store: ScanStore) -> None:
    with pytest.raises(ScanUnknown, match="teapot"):
        Trash(store.layout).put("teapot")
