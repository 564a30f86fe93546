"""The folder of scans: every scan in it that is not finished gets its delivery."""

import asyncio
import logging
from pathlib import Path

from offload.logs.fields import about
from offload.sync.client import ServiceClient, SyncTrouble
from offload.sync.delivery import Delivery, first_message
from offload.sync.outbox import JOURNAL, MANIFEST, BrokenScan
from offload.sync.patience import Patience
from offload.sync.state import read_state

log = logging.getLogger(__name__)

CONNECTIONS = 2
LOOK_S = 0.25


class Watch:
    """Finds scans and carries each in a task of its own."""

    def __init__(self, scans: Path, client: ServiceClient, patience: Patience) -> None:
        self._scans, self._client, self._patience = scans, client, patience
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._known: set[str] = set()
        self._carrying: dict[str, asyncio.Task[None]] = {}
        self.failed: dict[str, str] = {}

    async def run(self, *, once: bool) -> None:
        """Carry scans for ever, or with `once` those that are there now. Failures are in `failed`, by scan."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._put_down_what_is_gone()
                for folder in self._new_scans():
                    carrying = group.create_task(self._carry(folder, once), name=f"scan {folder.name}")
                    self._carrying[folder.name] = carrying
                if once:
                    return
                await asyncio.sleep(LOOK_S)

    def _put_down_what_is_gone(self) -> None:
        """A person deleted a scan. Should it be restored, it is carried from where it was."""
        for name in [name for name in self._known if not (self._scans / name).is_dir()]:
            self._known.discard(name)
            carrying = self._carrying.pop(name, None)
            if carrying is not None and not carrying.done():
                log.info("deleted; put down", extra=about(scan=name))
                carrying.cancel()

    def _new_scans(self) -> list[Path]:
        found = []
        for folder in sorted(self._scans.iterdir(), reverse=True) if self._scans.is_dir() else ():
            if folder.name in self._known or folder.name.startswith(".") or not _is_scan(folder):
                continue
            self._known.add(folder.name)
            if not _is_finished(folder):
                found.append(folder)
        return found

    async def _carry(self, folder: Path, once: bool) -> None:
        try:
            delivery = Delivery(folder, self._client, self._connections, self._patience)
            await delivery.run(until_sealed=not once)
        except* (SyncTrouble, BrokenScan) as troubles:
            self.failed[folder.name] = first_message(troubles)
            log.error("%s", self.failed[folder.name], extra=about(scan=folder.name))
        except* Exception as problems:
            self.failed[folder.name] = first_message(problems)
            log.exception("a fault inside sync", extra=about(scan=folder.name))


def _is_scan(folder: Path) -> bool:
    return (folder / JOURNAL).is_file() or (folder / MANIFEST).is_file()


def _is_finished(folder: Path) -> bool:
    state = read_state(folder)
    if state is None:
        return False
    return state.results_in_place or (state.job is not None and state.job.state.final and not state.job.results)
