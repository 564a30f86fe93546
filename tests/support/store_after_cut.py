"""Judges a store that a power cut left: what was promised before it must hold, and every scan can be completed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import store_story
from lossless import counted_in, faults_of_photos, faults_of_sealed, frozen_plan, journal_of, strays_in

from scannerd.store.layout import ScanFolder
from scannerd.store.ledger import CommandLedger
from scannerd.store.scans import ScanStore
from scannerd.store.trash import Trash

SCANS, TRASH, NOWHERE = "scans", "trash", "nowhere"
PLACES = {
    "begins": {SCANS, NOWHERE},
    "begun": {SCANS},
    "deletes": {SCANS, TRASH},
    "deleted": {TRASH},
    "restores": {TRASH, SCANS},
    "restored": {SCANS},
    "forgets": {TRASH, NOWHERE},
    "forgot": {NOWHERE},
    "removes": {SCANS, NOWHERE},
    "removed": {NOWHERE},
}
"""Where a scan may be after each mark."""


@dataclass
class Promise:
    """What was said of one scan, and what may have become true since."""

    places: set[str] = field(default_factory=lambda: {NOWHERE})
    photos: dict[int, set[str]] = field(default_factory=dict)
    """The hashes that the photo of a viewpoint may have."""
    exposures_us: set[float] = field(default_factory=set)
    views: int = store_story.VIEWS
    sealed_sha256: str | None = None
    may_make_room: bool = False


class Promises:
    """Takes in marks; what comes after them in the whole story may have happened, or not."""

    def __init__(self, before: Sequence[str], whole: Sequence[str]) -> None:
        self.of: dict[str, Promise] = {}
        self.commands: dict[str, bool] = {}
        for text in before:
            self._take_in(json.loads(text))
        for following in map(json.loads, whole[len(before) :][:1]):
            self._allow(following)

    def _take_in(self, mark: dict[str, Any]) -> None:
        kind = mark["kind"]
        if kind in ("command", "answered"):
            self.commands[mark["id"]] = kind == "answered"
            return
        promise = self.of.setdefault(mark["scan"], Promise())
        if kind in PLACES:
            promise.places = PLACES[kind]
            promise.may_make_room = kind in ("removes", "removed")
        elif kind == "kept":
            promise.photos[mark["index"]] = {mark["sha256"]}
        elif kind == "lost":
            promise.photos.pop(mark["index"])
        elif kind == "locked":
            promise.exposures_us = {mark["exposure_us"]}
        elif kind == "extended":
            promise.views = mark["views"]
        elif kind == "sealed":
            promise.sealed_sha256 = mark["sha256"]

    def _allow(self, mark: dict[str, Any]) -> None:
        """What was on its way when the power went may be there already."""
        promise = self.of.get(mark.get("scan", ""), Promise())
        if mark["kind"] == "kept" and mark["index"] in promise.photos:
            promise.photos[mark["index"]].add(mark["sha256"])
        elif mark["kind"] == "lost":
            promise.photos.pop(mark["index"])
        elif mark["kind"] == "locked" and promise.exposures_us:
            promise.exposures_us.add(mark["exposure_us"])


def faults_after(root: Path, promises: Promises, durable_journals: dict[str, bytes]) -> list[str]:
    """Recover with the store's own code, go on to the end, and return everything that was lost or is wrong."""
    store = store_story.a_store(root)
    trash = Trash(store.layout)
    faults = _of_commands(store, promises)
    for scan_id, promise in promises.of.items():
        homes = {SCANS: scan_id in store.scan_ids(), TRASH: scan_id in trash.scan_ids()}
        place = next((place for place, there in homes.items() if there), NOWHERE)
        if place not in promise.places or all(homes.values()):
            faults.append(f"{scan_id} is in {[p for p, there in homes.items() if there]}, promised {promise.places}")
        if place == TRASH:
            trash.restore(scan_id)
        if place == NOWHERE and promise.may_make_room and not _told(store, scan_id):
            faults.append(f"{scan_id} made room and nobody was told")
        if place != NOWHERE:
            faults += _of_scan(store, scan_id, promise, durable_journals.get(scan_id, b""))
    return faults + strays_in(root)


def _of_commands(store: ScanStore, promises: Promises) -> list[str]:
    ledger = CommandLedger(store.layout.commands)
    found = {command_id: ledger.find(command_id) for command_id in promises.commands}
    faults = [f"command {command_id} is forgotten" for command_id, entry in found.items() if entry is None]
    return faults + [
        f"the answer to {command_id} is forgotten"
        for command_id, entry in found.items()
        if entry is not None and promises.commands[command_id] and entry.answer is None
    ]


def _told(store: ScanStore, scan_id: str) -> bool:
    return store.layout.removed.exists() and f'"scan_id": "{scan_id}"' in store.layout.removed.read_text()


def _of_scan(store: ScanStore, scan_id: str, promise: Promise, durable_journal: bytes) -> list[str]:
    folder = store.layout.scan(scan_id)
    sealed_before = folder.manifest.exists()
    with store.open(scan_id) as scan:
        faults = _of_photos(folder, promise, faults_of_photos)
        lost = scan.verify_frames()
        if lost:
            faults.append(f"photos {lost} counted and were damaged")
        locked = (scan.locked_settings_of(0) or {}).get("exposure_us")
        if promise.exposures_us and locked not in promise.exposures_us:
            faults.append(f"locked at {locked} µs, promised {promise.exposures_us}")
        if len(scan.viewpoints) < promise.views:
            faults.append(f"{len(scan.viewpoints)} viewpoints, promised {promise.views}")
        if promise.sealed_sha256 and not sealed_before:
            faults.append("was sealed and is not")
        if not sealed_before:
            store_story.finish(scan)
        views = len(scan.viewpoints)
    if not folder.journal.read_bytes().startswith(durable_journal):
        faults.append("the journal lost lines that were on the disk")
    if frozen_plan(folder) != store_story.a_plan(scan_id):
        faults.append("the plan is not the one that was frozen")
    return faults + faults_of_sealed(folder, views)


def _of_photos(folder: ScanFolder, promise: Promise, damage: Callable[[ScanFolder], list[str]]) -> list[str]:
    counted = counted_in(journal_of(folder))
    faults = damage(folder)
    for index, hashes in promise.photos.items():
        if index not in counted:
            faults.append(f"photo {index} counted and does not any more")
        elif counted[index].file.sha256 not in hashes:
            faults.append(f"photo {index} is another one than was promised")
    return faults
