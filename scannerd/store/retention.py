"""Room for new scans: those that are safe on the service make it, oldest first, no more than needed, and it is told.

Safe means: sealed, this very bundle confirmed by the service, its model made and brought back, and all that for some
days, so that people had time to fetch what they want. Whatever is not all of this stays until a person deletes it.
"""

import json
import logging
import os
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from offload.wire.jobs import JobState
from scannerd.store.durable import StoreFault, StoreFull, explained, fsync_folder, remove_folder
from scannerd.store.hashing import sha256_of_file
from scannerd.store.layout import ScanFolder
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore
from scannerd.store.thumbnails import remove_thumbnails

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Safe:
    """A scan that the device need not keep."""

    scan_id: str
    size_bytes: int
    job_id: str
    bundle_sha256: str
    since: datetime
    """When its model was ready."""


@dataclass(frozen=True)
class Retention:
    """Removes what is safe; asked when a new scan does not fit."""

    store: ScanStore
    keep_days: float

    def make_room(self, needed_bytes: int, spared: Set[str] = frozenset()) -> list[Safe]:
        """Remove safe scans until so much fits beside the reserve; return them, oldest first.

        Removes none where that would not be enough. Raises StoreFault when the disk cannot be read or does not let
        go; what was removed before is told in `removed.jsonl`.
        """
        try:
            lacking_bytes = needed_bytes - self.store.forecast.usable_bytes
        except OSError as error:
            raise StoreFault(f"{self.store.layout.root}: cannot be looked at: {error.strerror}") from error
        chosen: list[Safe] = []
        for safe in self._safe(spared) if lacking_bytes > 0 else ():
            chosen.append(safe)
            lacking_bytes -= safe.size_bytes
            if lacking_bytes <= 0:
                for scan in chosen:
                    self._remove(scan)
                return chosen
        return []

    def _safe(self, spared: Set[str]) -> Iterator[Safe]:
        """Yield what may go, oldest first."""
        limit = self.store.now() - timedelta(days=self.keep_days)
        for scan_id in self.store.scan_ids():
            if scan_id in spared:
                continue
            safe = safe_scan(self.store.layout.scan(scan_id))
            if safe is not None and safe.since <= limit:
                yield safe

    def _remove(self, safe: Safe) -> None:
        """Tell first: there may be a line about a scan that is still here, but never a scan gone without a line."""
        try:
            self._tell(safe)
        except StoreFull:
            # Not even a line fits any more. What can be made anew at any time goes first.
            remove_thumbnails(self.store.layout.scan(safe.scan_id))
            self._tell(safe)
        path = self.store.layout.scan(safe.scan_id).path
        try:
            remove_folder(path)
        except OSError as error:
            raise StoreFault(f"{path}: cannot be removed: {error.strerror}; check the disk") from error

    def _tell(self, safe: Safe) -> None:
        path, new = self.store.layout.removed, not self.store.layout.removed.exists()
        line = {"at": self.store.now().isoformat(), "scan_id": safe.scan_id, "size_bytes": safe.size_bytes}
        line |= {"job_id": safe.job_id, "bundle_sha256": safe.bundle_sha256}
        data = b"\n" + json.dumps(line).encode() + b"\n"
        with explained(path, len(data)):
            with path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if new:
                fsync_folder(path.parent)


def safe_scan(folder: ScanFolder) -> Safe | None:
    """Return the scan as one that need not be kept; None when anything of it is only here."""
    state = sync_state(folder)
    job = state.job if state is not None else None
    if state is None or job is None or job.state is not JobState.COMPLETED or not state.results_in_place:
        return None
    try:
        if job.bundle_sha256 is None or sha256_of_file(folder.manifest) != job.bundle_sha256:
            return None
        size_bytes = _size_bytes(folder.path)
    except OSError:
        return None
    return Safe(folder.scan_id, size_bytes, job.job_id, job.bundle_sha256, job.updated_at)


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
