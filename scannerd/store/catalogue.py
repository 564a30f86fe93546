"""The store's scans as people are shown them, read beside the daemon that writes.

A journal is read again only when it has changed; thousands of old scans cost a look at their files' times.
"""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from scannerd.board.scan_shown import ScanDetail, ScanOverview, ViewpointShown
from scannerd.board.state import UploadProgress
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.durable import StoreFault
from scannerd.store.journal import JournalLine, replay
from scannerd.store.layout import ScanFolder
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore, journaled_frames, was_cancelled

REMEMBERED = 256
"""So many scans are kept in memory, as lists of viewpoints."""

Stamp = tuple[int, int]


@dataclass(frozen=True)
class _Read:
    stamp: Stamp
    detail: ScanDetail


class Catalogue:
    """Tells of scans. Safe to use from several threads; every call reads files, so make it in one."""

    def __init__(self, store: ScanStore) -> None:
        self._store = store
        self._known: OrderedDict[str, _Read] = OrderedDict()
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

    def _journaled(self, scan_id: str, folder: ScanFolder) -> ScanDetail:
        plan = self._plan(scan_id)
        if isinstance(plan, ScanDetail):
            return plan
        try:
            status = folder.journal.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            with self._lock:
                known = self._known.get(scan_id)
            if known is not None and known.stamp == stamp:
                return known.detail
            lines, _ = replay(folder.journal)
            detail = _detail(plan, lines)
        except (OSError, StoreFault) as fault:
            return ScanDetail(scan_id=scan_id, state="broken", created_at=plan.created_at, fault=str(fault))
        with self._lock:
            self._known[scan_id] = _Read(stamp, detail)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return detail

    def _plan(self, scan_id: str) -> ScanPlan | ScanDetail:
        """Raises ScanUnknown; a plan that is there and cannot be read is a broken scan."""
        try:
            return self._store.plan(scan_id)
        except StoreFault as fault:
            if not self._store.layout.scan(scan_id).plan.exists():
                raise
            return ScanDetail(scan_id=scan_id, state="broken", fault=str(fault))


def _state(
    detail: ScanDetail, folder: ScanFolder, running: str | None
) -> Literal["running", "unfinished", "cancelled", "sealed"]:
    if detail.scan_id == running:
        return "running"
    if folder.manifest.exists():
        return "sealed"
    return "cancelled" if detail.state == "cancelled" else "unfinished"


def _detail(plan: ScanPlan, lines: list[JournalLine]) -> ScanDetail:
    frames = journaled_frames(lines)
    judged = [line for line in lines if line.type == "judged"]
    stories: defaultdict[int, list[JournalLine]] = defaultdict(list)
    for line in lines:
        stories[line.body["frame"]["index"] if line.type == "frame" else line.body.get("index", -1)].append(line)
    return ScanDetail(
        scan_id=plan.scan_id,
        state="cancelled" if was_cancelled(lines) else "unfinished",
        created_at=plan.created_at,
        frames_done=len(frames),
        frames_planned=len(plan.viewpoints),
        size_bytes=sum(frame.file.size_bytes for frame in frames.values()),
        rings=plan.rings,
        photo_width_px=plan.photo_width_px,
        photo_height_px=plan.photo_height_px,
        has_mat=plan.mat is not None,
        retakes=len(judged),
        viewpoints=tuple(_viewpoint(view, stories[view.index]) for view in plan.viewpoints),
    )


def _viewpoint(view: Viewpoint, lines: list[JournalLine]) -> ViewpointShown:
    """Tell one viewpoint's story from its own lines; the latest count."""
    shown = ViewpointShown(index=view.index, ring=view.ring, angle_deg=view.angle_deg, status="planned")
    for line in lines:
        if line.type == "frame":
            shown = shown.model_copy(update=_stored(line, shown))
        elif line.type == "judged":
            attempts = line.body["attempt"]
            shown = shown.model_copy(
                update={"reason": line.body["reason"], "verdict": line.body["verdict"], "attempts": attempts}
            )
        elif line.type == "retake":
            shown = shown.model_copy(update={"retake_wanted": True, "reason": "a person wanted it again"})
        elif line.type == "lost":
            shown = shown.model_copy(update={"status": "planned", "verdict": None, "reason": line.body["reason"]})
    return shown


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
