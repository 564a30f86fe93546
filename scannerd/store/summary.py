"""What the store holds, read without disturbing the daemon that writes."""

from dataclasses import dataclass
from enum import StrEnum

from offload.wire.jobs import SyncState
from scannerd.store.durable import StoreFault
from scannerd.store.history import history_of
from scannerd.store.journal import stream
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore


class ScanState(StrEnum):
    """How far a scan is."""

    UNFINISHED = "unfinished"
    CANCELLED = "cancelled"
    SEALED = "sealed"
    BROKEN = "broken"


@dataclass(frozen=True)
class ScanSummary:
    """One scan in one line."""

    scan_id: str
    state: ScanState
    frames_done: int = 0
    frames_planned: int = 0
    sync: SyncState | None = None
    results_in_place: bool = False
    fault: str | None = None

    def line(self) -> str:
        """Say it for people."""
        if self.fault:
            return f"{self.scan_id}: {self.state}: {self.fault}"
        words = [f"{self.scan_id}: {self.state}, {self.frames_done} of {self.frames_planned} photos"]
        if self.sync is not None and self.sync.job is not None:
            words.append(f"job {self.sync.job.state} {self.sync.job.percent:.0f}%")
        if self.results_in_place:
            words.append("model in place")
        return ", ".join(words)


def summary_of(store: ScanStore, scan_id: str) -> ScanSummary:
    """Return one scan's summary; a scan that cannot be read is BROKEN, with the reason."""
    folder = store.layout.scan(scan_id)
    try:
        plan = store.plan(scan_id)
        history = history_of(stream(folder.journal))
    except StoreFault as fault:
        return ScanSummary(scan_id, ScanState.BROKEN, fault=str(fault))
    state = ScanState.CANCELLED if history.cancelled else ScanState.UNFINISHED
    return ScanSummary(
        scan_id,
        ScanState.SEALED if folder.manifest.exists() else state,
        len(history.frames),
        len(plan.viewpoints) + len(history.extensions),
        sync_state(folder),
        folder.results.is_dir(),
    )


def summaries(store: ScanStore) -> list[ScanSummary]:
    """Return all scans, oldest first."""
    return [summary_of(store, scan_id) for scan_id in store.scan_ids()]
