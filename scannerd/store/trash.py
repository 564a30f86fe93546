"""Deleted scans: out of the way at once, gone only after some days."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scannerd.store.durable import StoreFault, fsync_folder, make_folder, remove_folder
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanUnknown

LOG = logging.getLogger(__name__)

DAY_S = 86_400.0


@dataclass(frozen=True)
class Trash:
    """The trash of one store."""

    layout: StoreLayout
    now_s: Callable[[], float] = time.time
    """Seconds since 1970, as the files' times."""

    def scan_ids(self) -> list[str]:
        """Deleted scans, the latest deleted first."""
        if not self.layout.trash.is_dir():
            return []
        folders = [path for path in self.layout.trash.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return [path.name for path in sorted(folders, key=_deleted_at_s, reverse=True)]

    def put(self, scan_id: str) -> None:
        """Move a scan into the trash. Raises ScanUnknown, StoreFault."""
        source, target = self.layout.scan(scan_id).path, self.layout.deleted(scan_id).path
        if source.is_dir():
            # The days begin now, before the move: a power cut between the two leaves a scan that is young, not lost.
            os.utime(source, (self.now_s(), self.now_s()))
        make_folder(self.layout.trash)
        self._move(source, target)

    def restore(self, scan_id: str) -> None:
        """Move a scan back. Raises ScanUnknown, StoreFault."""
        self._move(self.layout.deleted(scan_id).path, self.layout.scan(scan_id).path)

    def forget(self, older_than_days: float) -> list[str]:
        """Remove for good what was deleted longer ago; returns the scans."""
        limit_s = self.now_s() - older_than_days * DAY_S
        gone = [name for name in self.scan_ids() if _deleted_at_s(self.layout.deleted(name).path) < limit_s]
        for name in gone:
            try:
                remove_folder(self.layout.deleted(name).path)
            except OSError as error:
                LOG.warning("%s: stays in the trash: %s", name, error)
        return gone

    def _move(self, source: Path, target: Path) -> None:
        if not source.is_dir():
            raise ScanUnknown(f"scan {source.name}: not in {source.parent}")
        if target.exists():
            raise StoreFault(f"scan {source.name}: {target} is there already; move it away first")
        try:
            source.rename(target)
            fsync_folder(target.parent)
            fsync_folder(source.parent)
        except OSError as error:
            raise StoreFault(f"{source}: cannot be moved to {target}: {error.strerror}") from error


def _deleted_at_s(folder: Path) -> float:
    return folder.stat().st_mtime
