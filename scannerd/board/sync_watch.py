"""Watches how scans fare on their way to the service: sync is a process of its own and tells by a file."""

import asyncio
from collections.abc import Callable

from offload.wire.jobs import SyncState
from scannerd.events import Event, SyncProgressed
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore
from scannerd.worker_thread import WorkerThread

LOOK_S = 0.5
"""Between two looks at the files that can still change."""
LOOKS_AT_ALL = 20
"""Every so many looks, also at those that are thought finished: somebody may have asked sync for them again."""

Stamp = tuple[int, int]


class SyncWatch:
    """Publishes every change of a scan's `sync.json`."""

    def __init__(self, store: ScanStore, reading: WorkerThread, publish: Callable[[Event], None]) -> None:
        """Files are read in the thread `reading`."""
        self._store = store
        self._reading = reading
        self._publish = publish
        self._stamps: dict[str, Stamp] = {}
        self._finished: set[str] = set()
        self._scan_ids: list[str] = []
        self._listed_ns: int | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        look = 0
        while True:
            for state in await self._looked(look):
                self._publish(SyncProgressed(state.scan_id, state))
            look += 1
            await asyncio.sleep(LOOK_S)

    async def _looked(self, look: int) -> list[SyncState]:
        at_all = look % LOOKS_AT_ALL == 0
        return await self._reading.run(lambda: self._changes(at_all))

    def _changes(self, at_all: bool) -> list[SyncState]:
        """Return the states that changed since the last look; what is finished is not told at the start."""
        self._list_anew(at_all)
        found = [self._change(name) for name in self._scan_ids if at_all or name not in self._finished]
        return [state for state in found if state is not None]

    def _list_anew(self, at_all: bool) -> None:
        """List the scans when some came or went; thousands of old ones cost one look at their folder otherwise."""
        try:
            changed_ns = self._store.layout.scans.stat().st_mtime_ns
        except OSError:
            changed_ns = None
        if changed_ns == self._listed_ns and not at_all:
            return
        self._listed_ns = changed_ns
        self._scan_ids = self._store.scan_ids()
        known = set(self._scan_ids)
        self._stamps = {name: stamp for name, stamp in self._stamps.items() if name in known}
        self._finished &= known

    def _change(self, scan_id: str) -> SyncState | None:
        folder = self._store.layout.scan(scan_id)
        try:
            status = folder.sync.stat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size)
        if self._stamps.get(scan_id) == stamp:
            return None
        state = sync_state(folder)
        if state is None:
            return None
        first_look = scan_id not in self._stamps
        self._stamps[scan_id] = stamp
        if state.results_in_place:
            self._finished.add(scan_id)
            return None if first_look else state
        return state
