"""The store's scans as people are shown them, read beside the daemon that writes.

Of a journal only what was added is read; thousands of old scans cost a look at their files' times.
"""

from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Literal

from pydantic import ValidationError

from offload.wire.bundle import StoredFile
from scannerd.board.scan_shown import ScanDetail, ScanOverview, ViewpointShown
from scannerd.board.state import UploadProgress
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.durable import StoreFault
from scannerd.store.journal import JournalLine, stream
from scannerd.store.layout import ScanFolder
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore

REMEMBERED_VIEWPOINTS = 10_000
"""So many viewpoints are kept in memory, of however many scans; always those of the latest."""


Stamp = tuple[int, int, int]
"""Of a journal: which file it is, when it was changed, its bytes."""


class Catalogue:
    """Tells of scans. Safe to use from several threads; every call reads files, so make it in one."""

    def __init__(self, store: ScanStore) -> None:
        self._store = store
        self._known: OrderedDict[str, _Reading] = OrderedDict()
        self._lock = Lock()

    def overviews(self, scan_ids: list[str], running: str | None = None) -> list[ScanOverview]:
        """Return some scans, without their viewpoints. `running` is the one that has the table."""
        fields = set(ScanOverview.model_fields)
        return [ScanOverview(**self.detail(scan_id, running).model_dump(include=fields)) for scan_id in scan_ids]

    def detail(self, scan_id: str, running: str | None = None) -> ScanDetail:
        """Return one scan; one that cannot be read is "broken", with the reason. Raises ScanUnknown."""
        folder = self._store.layout.scan(scan_id)
        detail = self._journaled(scan_id, folder)
        sync = sync_state(folder)
        changes: dict[str, object] = {
            "upload": UploadProgress.of(sync) if sync is not None else None,
            "has_model": folder.results.is_dir(),
        }
        if detail.state != "broken":
            changes["state"] = _state(detail, folder, running)
        return detail.model_copy(update=changes)

    def photo(self, scan_id: str, index: int) -> StoredFile | None:
        """Return the photo of a viewpoint that counts; None when there is none. Raises StoreFault."""
        with self._lock:
            return self._read_on(scan_id, self._store.layout.scan(scan_id)).photos.get(index)

    def photos(self, scan_id: str) -> list[StoredFile]:
        """Return all photos that count, in the order of viewpoints. Raises StoreFault."""
        with self._lock:
            photos = self._read_on(scan_id, self._store.layout.scan(scan_id)).photos
            return [photos[index] for index in sorted(photos)]

    def _journaled(self, scan_id: str, folder: ScanFolder) -> ScanDetail:
        try:
            with self._lock:
                return self._read_on(scan_id, folder).detail
        except StoreFault as fault:
            if not folder.plan.exists():
                raise
            return ScanDetail(scan_id=scan_id, state="broken", created_at=self._created_at(scan_id), fault=str(fault))

    def _created_at(self, scan_id: str) -> datetime | None:
        try:
            return self._store.plan(scan_id).created_at
        except StoreFault:
            return None

    def _read_on(self, scan_id: str, folder: ScanFolder) -> "_Reading":
        """Return what is known of a scan now. Raises ScanUnknown, StoreFault."""
        reading = self._known.pop(scan_id, None)
        stamp = self._stamp(scan_id, folder)
        if reading is None or not reading.goes_on_at(stamp):
            reading = _Reading(self._store.plan(scan_id))
        if reading.stamp != stamp:
            reading.read_on(folder.journal)
            reading.stamp = stamp
        self._known[scan_id] = reading
        self._forget()
        return reading

    def _stamp(self, scan_id: str, folder: ScanFolder) -> Stamp:
        try:
            status = folder.journal.stat()
        except OSError as error:
            self._store.plan(scan_id)  # A scan that is not there at all is said to be unknown.
            raise StoreFault(f"{folder.journal}: cannot be read: {error.strerror}") from error
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _forget(self) -> None:
        kept = sum(len(reading.shown) for reading in self._known.values())
        while kept > REMEMBERED_VIEWPOINTS and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            kept -= len(oldest.shown)


def _state(
    detail: ScanDetail, folder: ScanFolder, running: str | None
) -> Literal["running", "unfinished", "cancelled", "sealed"]:
    if detail.scan_id == running:
        return "running"
    if folder.manifest.exists():
        return "sealed"
    return "cancelled" if detail.state == "cancelled" else "unfinished"


class _Reading:
    """One scan's journal, read up to some line."""

    def __init__(self, plan: ScanPlan) -> None:
        self.stamp: Stamp | None = None
        self.photos: dict[int, StoredFile] = {}
        self.shown = {view.index: _planned(view) for view in plan.viewpoints}
        self._plan = plan
        self._last: JournalLine | None = None
        self._retakes = 0
        self._raws: set[int] = set()
        self._cancelled = False
        self._detail: ScanDetail | None = None

    def goes_on_at(self, stamp: Stamp) -> bool:
        """Whether this file is the one that was read, and not shorter than what was read."""
        read_bytes = self._last.end_bytes if self._last else 0
        return self.stamp is not None and self.stamp[0] == stamp[0] and stamp[2] >= read_bytes

    @property
    def detail(self) -> ScanDetail:
        """The scan with its viewpoints, as its journal tells."""
        if self._detail is None:
            self._detail = self._told()
        return self._detail

    def read_on(self, journal: Path) -> None:
        """Take in the lines that were added. Raises StoreFault."""
        for line in stream(journal, self._last):
            try:
                self._take_in(line)
            except (KeyError, TypeError, ValidationError) as error:
                raise StoreFault(f"journal entry {line.seq} ({line.type}) cannot be understood: {error}") from error
            self._last = JournalLine(line.seq, line.at, line.type, end_bytes=line.end_bytes)
            self._detail = None

    def _take_in(self, line: JournalLine) -> None:
        if line.type == "extended":
            views = [Viewpoint.model_validate(view) for view in line.body["viewpoints"]]
            self.shown |= {view.index: _planned(view) for view in views}
        elif line.type in ("cancelled", "resumed"):
            self._cancelled = line.type == "cancelled"
        elif line.type == "raw":
            index = line.body["index"]
            if index in self.photos and self.photos[index].name == line.body["photo"]:
                self._raws.add(index)
        elif line.type in ("frame", "judged", "retake", "lost"):
            self._tell(line)

    def _tell(self, line: JournalLine) -> None:
        """Go on with one viewpoint's story; the latest counts."""
        index = line.body["frame"]["index"] if line.type == "frame" else line.body["index"]
        shown = self.shown[index]
        changes: dict[str, object] = {}
        if line.type == "frame":
            self.photos[index] = StoredFile.model_validate(line.body["frame"]["file"])
            self._raws.discard(index)
            changes = _stored(line, shown)
        elif line.type == "judged":
            self._retakes += 1
            changes = {name: line.body[name] for name in ("reason", "verdict")} | {"attempts": line.body["attempt"]}
        elif line.type == "retake":
            changes = {"retake_wanted": True, "reason": line.body.get("reason", "a person wanted it again")}
        else:
            self.photos.pop(index, None)
            self._raws.discard(index)
            changes = {"status": "planned", "verdict": None, "reason": line.body["reason"]}
        self.shown[index] = shown.model_copy(update=changes)

    def _told(self) -> ScanDetail:
        plan = self._plan
        return ScanDetail(
            scan_id=plan.scan_id,
            state="cancelled" if self._cancelled else "unfinished",
            created_at=plan.created_at,
            frames_done=len(self.photos),
            frames_planned=len(self.shown),
            size_bytes=sum(photo.size_bytes for photo in self.photos.values()),
            rings=max(view.ring for view in self.shown.values()) + 1,
            sides=max(view.side for view in self.shown.values()) + 1,
            photo_width_px=plan.photo_width_px,
            photo_height_px=plan.photo_height_px,
            has_mat=plan.mat is not None,
            retakes=self._retakes,
            raw_files=len(self._raws),
            cameras=plan.camera_names,
            viewpoints=tuple(self.shown.values()),
        )


def _planned(view: Viewpoint) -> ViewpointShown:
    return ViewpointShown(**dict(view), status="planned")


def _stored(line: JournalLine, shown: ViewpointShown) -> dict[str, object]:
    frame = line.body["frame"]
    attempts = frame.get("attempt", 1)
    # The attempt that was judged last was kept although the gate did not like it.
    kept_anyway = shown.attempts == attempts and shown.verdict in ("retake", "ask")
    return {
        "status": "stored",
        "verdict": shown.verdict if kept_anyway else "accept",
        "attempts": attempts,
        "angle_deg": frame["angle_deg"],
        "sharpness": frame.get("sharpness"),
        "size_bytes": frame["file"]["size_bytes"],
        "retake_wanted": False,
    }
