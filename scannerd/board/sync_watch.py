"""Watches how scans fare on their way to the service: sync is a process of its own and tells by a file."""

import asyncio
from collections.abc import Callable

from offload.sync.link_file import LINK, read_link
from offload.wire.jobs import SyncState
from scannerd.events import Event, LinkChanged, SyncProgressed
from scannerd.store.results import sync_state
from scannerd.store.scans import ScanStore
from scannerd.worker_thread import WorkerThread

LOOK_S = 0.5
"""Between two looks at the files that can still change."""
LOOKS_AT_ALL = 20
"""Every so many looks, also at those that are thought finished: somebody may have asked sync for them again."""
LIVELY_LOOKS = 120
"""A scan that has not changed for so long is looked at with the finished ones: thousands may wait for their turn."""

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
        self._quiet_looks: dict[str, int] = {}
        self._link_stamp: Stamp | None = None
        self._scan_ids: list[str] = []
        self._listed_ns: int | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        look = 0
        while True:
            for state in await self._looked(look):
                self._publish(SyncProgressed(state.scan_id, state))
            if (changed := await self._reading.run(self._link_change)) is not None:
                self._publish(changed)
            look += 1
            await asyncio.sleep(LOOK_S)

    async def _looked(self, look: int) -> list[SyncState]:
        at_all = look % LOOKS_AT_ALL == 0
        return await self._reading.run(lambda: self._changes(at_all))

    def _changes(self, at_all: bool) -> list[SyncState]:
        """Return the states that changed since the last look; what is finished is not told at the start."""
        self._list_anew(at_all)
        found = [self._change(name) for name in self._scan_ids if at_all or self._is_lively(name)]
        return [state for state in found if state is not None]

    def _is_lively(self, name: str) -> bool:
        return name not in self._finished and self._quiet_looks.get(name, 0) < LIVELY_LOOKS

    def _link_change(self) -> LinkChanged | None:
        scans = self._store.layout.scans
        try:
            status = (scans / LINK).stat()
        except OSError:
            was_there, self._link_stamp = self._link_stamp is not None, None
            return LinkChanged(None) if was_there else None
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._link_stamp:
            return None
        self._link_stamp = stamp
        return LinkChanged(read_link(scans))

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
        self._quiet_looks = {name: looks for name, looks in self._quiet_looks.items() if name in known}

    def _change(self, scan_id: str) -> SyncState | None:
        folder = self._store.layout.scan(scan_id)
        self._quiet_looks[scan_id] = self._quiet_looks.get(scan_id, 0) + 1
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
        self._stamps[scan_id], self._quiet_looks[scan_id] = stamp, 0
        if state.results_in_place:
            self._finished.add(scan_id)
            return None if first_look else state
        return state
