"""Scans that are safe on the service make room; whatever is only here stays. The disk's size is pretended."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import store_story

from offload.wire.jobs import JobState, SyncState
from scannerd.store.retention import Retention, safe_scan
from scannerd.store.scans import ScanStore

WHEN = store_story.WHEN


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    """Three safe scans, one that was never sent, one that is not complete; the disk is full."""
    store = replace(store_story.a_store(tmp_path), free_bytes=lambda _: 0, now=lambda: WHEN + timedelta(days=30))
    for scan_id in ("a", "b", "c", "unsent"):
        with replace(store, free_bytes=lambda _: 10**12).begin(store_story.a_plan(scan_id))[0] as scan:
            store_story.finish(scan)
        if scan_id != "unsent":
            store_story.confirm(store, scan_id)
    replace(store, free_bytes=lambda _: 10**12).begin(store_story.a_plan("begun"))[0].close()
    return store


def size_bytes(store: ScanStore, scan_id: str) -> int:
    return sum(path.stat().st_size for path in store.layout.scan(scan_id).path.rglob("*") if path.is_file())


def change(store: ScanStore, scan_id: str, changes: Callable[[SyncState], SyncState]) -> None:
    path = store.layout.scan(scan_id).sync
    path.write_text(changes(SyncState.model_validate_json(path.read_bytes())).model_dump_json())


def test_the_oldest_safe_scans_go_and_no_more_than_needed(store: ScanStore) -> None:
    needed = size_bytes(store, "a") + 1
    gone = Retention(store, keep_days=7).make_room(needed)
    assert [scan.scan_id for scan in gone] == ["a", "b"]
    assert sorted(store.scan_ids()) == ["begun", "c", "unsent"]
    told = [json.loads(line) for line in store.layout.removed.read_text().split("\n") if line]
    assert [(line["scan_id"], line["job_id"]) for line in told] == [("a", "job"), ("b", "job")]
    assert [line["size_bytes"] for line in told] == [scan.size_bytes for scan in gone]


def test_nothing_goes_where_there_is_room_or_all_would_not_be_enough(store: ScanStore) -> None:
    retention = Retention(store, keep_days=7)
    assert retention.make_room(10**9) == []
    assert Retention(replace(store, free_bytes=lambda _: 2000), keep_days=7).make_room(1000) == []
    assert len(store.scan_ids()) == 5


def test_who_is_spared_and_who_is_young_stays(store: ScanStore) -> None:
    assert Retention(store, keep_days=31).make_room(1) == []
    assert [scan.scan_id for scan in Retention(store, keep_days=29).make_room(1, spared={"a"})] == ["b"]


@pytest.mark.parametrize(
    "unsafe",
    [
        lambda state: state.model_copy(update={"results_in_place": False}),
        lambda state: state.model_copy(update={"job": None}),
        lambda state: state.model_copy(update={"job": state.job.model_copy(update={"state": JobState.FAILED})}),
        lambda state: state.model_copy(update={"job": state.job.model_copy(update={"bundle_sha256": "0" * 64})}),
    ],
)
def test_a_scan_that_is_not_wholly_on_the_service_is_not_safe(
    store: ScanStore, unsafe: Callable[[SyncState], SyncState]
) -> None:
    assert safe_scan(store.layout.scan("a")) is not None
    change(store, "a", unsafe)
    assert safe_scan(store.layout.scan("a")) is None


def test_a_scan_that_is_not_sealed_or_was_never_sent_is_not_safe(store: ScanStore) -> None:
    assert safe_scan(store.layout.scan("unsent")) is None
    assert safe_scan(store.layout.scan("begun")) is None
