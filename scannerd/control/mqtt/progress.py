"""How far each scan is: one retained message a scan, and never more of them than a broker should keep."""

from collections import OrderedDict, deque

from scannerd.board.scan_shown import ScanOverview
from scannerd.board.state import RunningScan, Shown
from scannerd.control.mqtt.outbox import Outbox, Outgoing
from scannerd.control.mqtt.topics import Topics
from scannerd.control.scanner import Scanner
from scannerd.events import (
    Event,
    FramesLost,
    FrameStored,
    PhaseChanged,
    ScanDeleted,
    ScanEnded,
    ScanGivenUp,
    ScanPaused,
    ScanRestored,
    ScanSealed,
    ScanStarted,
    SyncProgressed,
    UnfinishedScanFound,
)
from scannerd.store.durable import StoreFault

KEPT = 20
"""So many scans have their progress with the broker, the latest; the older ones are in the gallery."""
MOST_FOUND = 10_000
FOUND_AT_ONCE = 32
"""So many old messages are cleaned away in one go, beside what is new."""

_CHANGES = (
    UnfinishedScanFound,
    PhaseChanged,
    ScanStarted,
    FramesLost,
    FrameStored,
    ScanPaused,
    ScanSealed,
    ScanEnded,
    ScanGivenUp,
    ScanRestored,
    SyncProgressed,
)


class ScanProgress(Shown):
    """One scan: what the store knows of it, and how its run goes while it has the table."""

    scan: ScanOverview
    run: RunningScan | None = None
    """Only while it runs."""
    error: str | None = None
    """Why its latest run ended before the end, for people."""


class ProgressShelf:
    """Knows which scans changed, and which progress lies with the broker."""

    def __init__(self, scanner: Scanner, topics: Topics, outbox: Outbox) -> None:
        self._scanner = scanner
        self._topics = topics
        self._outbox = outbox
        self._changed: OrderedDict[str, None] = OrderedDict()
        self._shown: OrderedDict[str, None] = OrderedDict()
        """Latest last."""
        self._running: str | None = None
        self._found: deque[str] = deque(maxlen=MOST_FOUND)

    @property
    def waiting(self) -> bool:
        """Whether some progress is to be told anew."""
        return bool(self._changed or self._found)

    def follow(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, ScanDeleted):
            self.empty(event.scan_id)
        elif isinstance(event, _CHANGES) and event.scan_id is not None:
            self._changed[event.scan_id] = None

    def found(self, scan_id: str) -> None:
        """Take note of a progress that lies with the broker: it may be an earlier start's."""
        if scan_id not in self._shown and scan_id not in self._changed:
            self._found.append(scan_id)

    def show_again(self) -> None:
        """Tell all progress anew: the broker may have lost it."""
        for scan_id in self._shown:
            self._changed[scan_id] = None

    def stop_showing_run(self) -> None:
        """Have the scan that was last told to be running told anew."""
        if self._running is not None:
            self._changed[self._running] = None

    def empty(self, scan_id: str) -> None:
        """Take one away from the broker."""
        self._changed.pop(scan_id, None)
        self._shown.pop(scan_id, None)
        self._outbox.put(Outgoing(self._topics.progress(scan_id), b"", retain=True))

    async def tell(self) -> None:
        """Tell what changed, as it is on the disk now."""
        await self._sort_found()
        while self._changed:
            scan_id, _ = self._changed.popitem(last=False)
            progress = await self._progress(scan_id)
            if progress is None:
                self.empty(scan_id)
                continue
            self._shown.setdefault(scan_id)
            if progress.run is not None:
                self._running = scan_id
                self._shown.move_to_end(scan_id)
            payload = progress.model_dump_json().encode()
            self._outbox.put(Outgoing(self._topics.progress(scan_id), payload, retain=True))
            while len(self._shown) > KEPT:
                self.empty(next(iter(self._shown)))

    async def _sort_found(self) -> None:
        """Correct what lies with the broker, or take it away: scans that are gone, and those that are long past.

        Only names that the store knows become paths; a topic can hold any.
        """
        if not self._found:
            return
        scan_ids = await self._scanner.reading.run(self._scanner.store.scan_ids)
        latest = set(scan_ids[-KEPT:])
        for _ in range(min(len(self._found), FOUND_AT_ONCE)):
            scan_id = self._found.popleft()
            if scan_id in latest:
                self._changed[scan_id] = None
            elif scan_id not in self._shown:
                self.empty(scan_id)

    async def _progress(self, scan_id: str) -> ScanProgress | None:
        """None for a scan that is gone."""
        running = self._scanner.running
        try:
            detail = await self._scanner.reading.run(lambda: self._scanner.catalogue.overviews([scan_id], running)[0])
        except StoreFault:
            return None
        state = self._scanner.board.state()
        last = state.last_scan
        return ScanProgress(
            scan=detail,
            run=state.scan if state.scan is not None and state.scan.scan_id == scan_id else None,
            error=last.error if last is not None and last.scan_id == scan_id else None,
        )
