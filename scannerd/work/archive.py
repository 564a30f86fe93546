"""What is done to scans that do not run: given up, put into the trash, fetched back, a photo wanted again."""

import logging
from contextlib import nullcontext

from offload.logs.fields import about
from offload.sync.choice import choose_first
from scannerd.commands import CommandRefused, Extension
from scannerd.config import StoreSection
from scannerd.coverage.recall import recalled
from scannerd.event_bus import EventBus
from scannerd.events import ScanDeleted, ScanExtended, ScanGivenUp, ScanRestored, Warned
from scannerd.scan.extension import extension_of
from scannerd.scan.pattern import ImpossiblePattern
from scannerd.scan.plan import Viewpoint
from scannerd.store.durable import explained
from scannerd.store.retention import Retention
from scannerd.store.scans import ScanStore, ScanUnknown
from scannerd.store.stored_scan import StoredScan
from scannerd.store.trash import Trash
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


class Archive:
    """Acts on the disk, in the thread that scans are written in, so that never two write at once."""

    def __init__(self, store: ScanStore, worker: WorkerThread, events: EventBus) -> None:
        self._store = store
        self._worker = worker
        self._events = events
        self.trash = Trash(store.layout)

    async def give_up(self, scan_id: str) -> None:
        """Cancel a scan that a fault, a stop or a power cut ended. Raises CommandRefused, StoreFault."""
        await self._worker.run(lambda: self._note_cancelled(scan_id))
        self._events.publish(ScanGivenUp(scan_id))

    async def retake_later(self, scan_id: str, index: int) -> None:
        """Have a photo taken again when the scan goes on; until then it counts. Raises CommandRefused, StoreFault."""
        await self._worker.run(lambda: self._note_retake(scan_id, index))

    async def extend(self, scan_id: str, wish: Extension, running: StoredScan | None = None) -> None:
        """Add viewpoints to a scan, which may be the one that runs. Raises CommandRefused, StoreFault."""
        added, planned = await self._worker.run(lambda: self._note_extended(scan_id, wish, running))
        LOG.info("extended by %d photos, %d in all", added, planned, extra=about(scan=scan_id))
        self._events.publish(ScanExtended(scan_id, added, planned))

    async def delete(self, scan_id: str, trash_days: int) -> None:
        """Put a scan into the trash, and forget what has been there for longer. Raises StoreFault."""
        await self._worker.run(lambda: self.trash.put(scan_id))
        LOG.info("in the trash", extra=about(scan=scan_id))
        self._events.publish(ScanDeleted(scan_id))
        for forgotten in await self._worker.run(lambda: self.trash.forget(trash_days)):
            LOG.info("gone for good, deleted more than %d days ago", trash_days, extra=about(scan=forgotten))

    async def make_room(self, scan_id: str, needed_bytes: int, limits: StoreSection) -> bool:
        """Let safe scans make room where so much of a scan does not fit; say so, and return whether any had to.

        Raises StoreFault.
        """
        if limits.retention != "when_needed":
            return False
        retention = Retention(self._store, limits.keep_days)
        removed = await self._worker.run(lambda: retention.make_room(needed_bytes))
        for gone in removed:
            message = (
                f"scan {gone.scan_id} ({gone.size_bytes / 1e6:.0f} MB) was removed to make room for {scan_id}; "
                f"the service has its photos and its model (job {gone.job_id})"
            )
            LOG.warning("%s", message, extra=about(scan=gone.scan_id))
            self._events.publish(ScanDeleted(gone.scan_id))
            self._events.publish(Warned(message))
        return bool(removed)

    async def send_first(self, scan_id: str) -> None:
        """Have a scan carried before all others. Raises ScanUnknown, StoreFault."""
        await self._worker.run(lambda: self._choose_first(scan_id))
        LOG.info("is sent first", extra=about(scan=scan_id))

    async def restore(self, scan_id: str) -> None:
        """Fetch a scan back from the trash. Raises StoreFault."""
        await self._worker.run(lambda: self.trash.restore(scan_id))
        LOG.info("back from the trash", extra=about(scan=scan_id))
        self._events.publish(ScanRestored(scan_id))

    def _choose_first(self, scan_id: str) -> None:
        layout = self._store.layout
        if not layout.scan(scan_id).path.is_dir():
            raise ScanUnknown(f"there is no scan {scan_id}")
        with explained(layout.scans, 0):
            choose_first(layout.scans, scan_id)

    def _note_cancelled(self, scan_id: str) -> None:
        with self._store.open(scan_id) as scan:
            if scan.sealed:
                raise CommandRefused(f"scan {scan_id}: is complete; delete it when nobody wants it")
            scan.note("cancelled")

    def _note_retake(self, scan_id: str, index: int) -> None:
        with self._store.open(scan_id) as scan:
            note_retake(scan, index)

    def _note_extended(self, scan_id: str, wish: Extension, running: StoredScan | None) -> tuple[int, int]:
        with nullcontext(running) if running is not None else self._store.open(scan_id) as scan:
            if scan.sealed:
                raise CommandRefused(
                    f"scan {scan_id}: is complete and sealed, nothing can be added; start a new scan, and add photos "
                    "before the last one is taken"
                )
            views = _wished(scan, wish)
            scan.require_room(len(scan.missing()) + len(views))
            scan.extend(views)
            return len(views), len(scan.viewpoints)


def _wished(scan: StoredScan, wish: Extension) -> tuple[Viewpoint, ...]:
    """Return what to add; where nothing is said, what coverage proposes. Raises CommandRefused."""
    about_scan = f"ExtendScan {scan.plan.scan_id}"
    said = (wish.views, wish.angles_deg, wish.ring, wish.elevation_deg, wish.turn_over or None)
    if all(value is None for value in said):
        report = recalled(scan.folder, scan.plan, scan.frames.values()).report(scan.viewpoints)
        if report is None:
            raise CommandRefused(f"{about_scan}: the photos do not show what they cover; say which photos to add")
        if report.proposal is None:
            raise CommandRefused(
                f"{about_scan}: {100 * report.covered_share:.0f} % of the object are seen well, and no other ring "
                "shows more; say which photos to add"
            )
        return report.proposal.viewpoints
    try:
        return extension_of(scan.viewpoints, wish)
    except ImpossiblePattern as reason:
        raise CommandRefused(f"{about_scan}: {reason}") from reason


def note_retake(scan: StoredScan, index: int) -> None:
    """Remember that a person wants a photo again. Raises CommandRefused, StoreFault."""
    if scan.sealed:
        raise CommandRefused(
            f"scan {scan.plan.scan_id}: is complete and sealed; start a new scan to take photos again"
        )
    require_viewpoint(scan, index)
    scan.note("retake", index=index)


def require_viewpoint(scan: StoredScan, index: int) -> None:
    """Raise CommandRefused unless the scan has this viewpoint, of the side on which the object lies."""
    last = len(scan.viewpoints) - 1
    if not 0 <= index <= last:
        raise CommandRefused(f"Retake {index}: scan {scan.plan.scan_id} has photos 0 to {last}")
    side = scan.viewpoints[index].side
    if any(view.index in scan.frames for view in scan.viewpoints if view.side > side):
        raise CommandRefused(
            f"Retake {index}: shows side {side + 1}, and the object has been turned over since; nobody can put it "
            "back exactly: extend the scan by photos of the side that is seen now"
        )
