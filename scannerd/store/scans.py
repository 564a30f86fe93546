"""All scans of a device: begun, found, and opened again after any interruption."""

import logging
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from offload.logs.fields import about
from scannerd import __version__
from scannerd.scan.plan import ScanPlan
from scannerd.store.background import give_backgrounds
from scannerd.store.durable import (
    StoreFault,
    free_bytes_at,
    fsync_folder,
    make_folder,
    remove_gone,
    remove_parts,
    write_durably,
)
from scannerd.store.history import ScanHistory
from scannerd.store.journal import Journal, ends_with_seal
from scannerd.store.layout import StoreLayout
from scannerd.store.space import DiskForecast
from scannerd.store.stored_scan import StoredScan

LOG = logging.getLogger(__name__)


class ScanUnknown(StoreFault):
    """There is no scan of this name."""


class ScanExists(StoreFault):
    """There is a scan of this name already."""


@dataclass(frozen=True)
class ScanStore:
    """All scans of one device."""

    layout: StoreLayout
    reserve_bytes: int = 0
    free_bytes: Callable[[Path], int] = free_bytes_at
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def make(self) -> None:
        """Make the folders. Raises StoreFault."""
        try:
            make_folder(self.layout.scans)
        except OSError as error:
            raise StoreFault(f"{self.layout.root}: cannot be used: {error.strerror}; check [store] folder") from error

    def prepare(self) -> None:
        """Make the folders, and finish what a power cut left: scans never born, half removed or just sealed.

        Only for whoever holds the store's lock. Raises StoreFault.
        """
        self.make()
        try:
            for unborn in self.layout.scans.glob(".*.new"):
                shutil.rmtree(unborn)
            remove_gone(self.layout.scans)
            remove_gone(self.layout.trash)
            remove_parts(self.layout.root)
            just_sealed = [scan_id for scan_id in self.scan_ids() if self._lacks_last_line(scan_id)]
        except OSError as error:
            raise StoreFault(f"{self.layout.root}: cannot be used: {error.strerror}; check [store] folder") from error
        for scan_id in just_sealed:
            try:
                self.open(scan_id).close()
            except StoreFault as fault:
                LOG.warning("%s", fault, extra=about(scan=scan_id))

    def _lacks_last_line(self, scan_id: str) -> bool:
        """Whether the seal is there, and the journal does not end with it."""
        folder = self.layout.scan(scan_id)
        return folder.manifest.exists() and not ends_with_seal(folder.journal)

    @property
    def forecast(self) -> DiskForecast:
        """What is asked before anything is written."""
        return DiskForecast(self.layout.scans, self.reserve_bytes, self.free_bytes)

    def begin(self, plan: ScanPlan) -> tuple[StoredScan, str | None]:
        """Return the new scan, and why the background photo was not used (None when it was, or there is none).

        Raises StoreFull when it would not fit, ScanExists, StoreFault. Until the plan and the first journal line are
        on the disk the scan has no name; a power cut leaves nothing.
        """
        self.forecast.require(plan, len(plan.viewpoints))
        folder, unborn = self.layout.scan(plan.scan_id), self.layout.unborn(plan.scan_id)
        if folder.path.exists():
            raise ScanExists(
                f"scan {plan.scan_id}: exists already in {folder.path}; choose another name, or resume it"
            )
        try:
            shutil.rmtree(unborn.path, ignore_errors=True)
            unborn.frames.mkdir(parents=True)
            unborn.thumbnails.mkdir()
            write_durably(unborn.plan, plan.model_dump_json(indent=2).encode())
            with closing(Journal.create(unborn.journal, self.now)) as journal:
                journal.append("begun", views=len(plan.viewpoints), version=__version__)
            remark = give_backgrounds(self.layout, unborn, plan)
            unborn.path.rename(folder.path)
            fsync_folder(self.layout.scans)
        except OSError as error:
            raise StoreFault(f"{folder.path}: cannot be made: {error.strerror}") from error
        return self.open(plan.scan_id), remark

    def open(self, scan_id: str) -> StoredScan:
        """Return a scan as its journal has it, ready to go on; what does not count is removed.

        Raises ScanUnknown, StoreFault.
        """
        folder, plan, history = self.layout.scan(scan_id), self.plan(scan_id), ScanHistory()
        scan = StoredScan(
            folder, plan, Journal.open(folder.journal, self.now, history.take_in), history, self.forecast
        )
        try:
            scan.sweep()
            scan.note_seal()
        except OSError as error:
            scan.close()
            raise StoreFault(f"{folder.path}: cannot be used: {error.strerror}; check the disk") from error
        except StoreFault:
            scan.close()
            raise
        return scan

    def plan(self, scan_id: str) -> ScanPlan:
        """Return the frozen plan. Raises ScanUnknown, StoreFault."""
        folder = self.layout.scan(scan_id)
        try:
            return ScanPlan.model_validate_json(folder.plan.read_bytes())
        except FileNotFoundError as error:
            known = ", ".join(self.scan_ids()[-5:]) or "none"
            raise ScanUnknown(f"scan {scan_id}: not in {self.layout.scans}; the latest there: {known}") from error
        except (OSError, ValidationError) as error:
            raise StoreFault(f"{folder.plan}: cannot be used: {error}") from error

    def scan_ids(self) -> list[str]:
        """All scans, oldest first."""
        if not self.layout.scans.is_dir():
            return []
        plans = [path for path in self.layout.scans.glob("*/plan.json") if not path.parent.name.startswith(".")]
        return [plan.parent.name for plan in sorted(plans, key=lambda path: (path.stat().st_mtime_ns, path))]
