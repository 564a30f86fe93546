"""The folder of scans: what comes is carried, the most urgent first, a few scans at a time."""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from offload.logs.fields import about
from offload.sync.backlog import Backlog, Entry, Standing
from offload.sync.choice import Choice
from offload.sync.delivery import Delivery, first_message
from offload.sync.homecoming import Follower, fetch_results
from offload.sync.lanes import Rank
from offload.sync.outbox import BrokenScan
from offload.sync.report import Figures
from offload.sync.state import StateFile
from offload.sync.trouble import JobUnknown, SyncTrouble
from offload.sync.way import Way
from offload.wire.jobs import Job

log = logging.getLogger(__name__)

LOOK_S = 0.25
AT_A_TIME = 3
"""Scans that are carried side by side: while one waits for its next photo, the others use the line."""
AT_MOST = 6
"""With more urgent ones that came in between."""
HOMEWARD_AT_A_TIME = 2
EXAMINED_AT_A_TIME = 100


class Watch:
    """Finds scans and carries each in a task of its own; thousands wait as a few bytes each."""

    def __init__(self, scans: Path, way: Way) -> None:
        self._scans, self._way = scans, way
        self._backlog, self._choice = Backlog(scans), Choice(scans)
        self._follower = Follower(way, self._ended, self._lost)
        self._homeward: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self.failed: dict[str, str] = {}

    async def run(self, *, once: bool) -> None:
        """Carry scans for ever, or with `once` those that are there now. Failures are in `failed`, by scan."""
        async with asyncio.TaskGroup() as group:
            follower = group.create_task(self._follower.run(), name="follower")
            while True:
                await self._look_for_scans()
                if not once:
                    self._backlog.wake()
                if self._choice.refresh():
                    self._put_first(self._choice.scan_id)
                self._begin(group, once)
                self._way.report.save(self._figures())
                if once and not self._busy():
                    break
                await asyncio.sleep(LOOK_S)
            follower.cancel()

    async def _look_for_scans(self) -> None:
        changed = self._backlog.listed_anew()
        if changed is None:
            return
        came, went = changed
        for name in went:
            self._put_down(name)
        names = sorted(came, reverse=True)
        for begin in range(0, len(names), EXAMINED_AT_A_TIME):
            for name in names[begin : begin + EXAMINED_AT_A_TIME]:
                self._take_in(name)
            await asyncio.sleep(0)

    def _take_in(self, name: str) -> None:
        examined = self._backlog.examine(name)
        if examined is None:
            return
        entry, state = examined
        if entry.standing is Standing.FOLLOWED and state is not None and state.job is not None:
            self._follower.add(entry.folder, state.job.job_id)

    def _put_down(self, name: str) -> None:
        """A person deleted a scan. Should it be restored, it is carried from where it was."""
        self._backlog.forget(name)
        self._follower.drop(name)
        self._homeward.pop(name, None)
        task = self._tasks.pop(name, None)
        self._deliveries.pop(name, None)
        if task is not None and not task.done():
            log.info("deleted; put down", extra=about(scan=name))
            task.cancel()

    def _put_first(self, name: str | None) -> None:
        """Who chooses a scan that has failed wants it tried again."""
        entry = self._backlog.entries.get(name or "")
        if entry is not None and entry.standing is Standing.FAILED:
            self._backlog.put(entry.folder.name, Standing.READY)
            self.failed.pop(entry.folder.name, None)

    def _begin(self, group: asyncio.TaskGroup, once: bool) -> None:
        while (name := self._next()) is not None:
            entry = self._backlog.entries[name]
            self._backlog.put(name, Standing.CARRIED)
            self._deliveries[name] = Delivery(entry.folder, self._way, lambda name=name: self._rank(name))  # type: ignore[misc]
            self._start(group, entry, self._carry(entry, self._deliveries[name], once))
        for name in list(self._homeward):
            if len(self._backlog.having(Standing.HOMEWARD)) >= HOMEWARD_AT_A_TIME:
                break
            entry = self._backlog.entries[name]
            self._backlog.put(name, Standing.HOMEWARD)
            self._start(group, entry, self._fetch(entry, self._homeward.pop(name)))

    def _next(self) -> str | None:
        """Return the most urgent scan, if there is room, or if it is more urgent than all that are carried."""
        ready, carried = self._backlog.having(Standing.READY), len(self._deliveries)
        if not ready or carried >= AT_MOST:
            return None
        name = min(ready, key=self._rank)
        is_urgent = all(self._rank(name) < self._rank(other) for other in self._deliveries)
        return name if carried < AT_A_TIME or is_urgent else None

    def _rank(self, name: str) -> Rank:
        return self._backlog.rank(name, self._choice.scan_id)

    def _start(self, group: asyncio.TaskGroup, entry: Entry, work: Coroutine[Any, Any, Standing]) -> None:
        name = entry.folder.name
        self._tasks[name] = group.create_task(self._see_through(entry, work), name=f"scan {name}")

    async def _see_through(self, entry: Entry, work: Coroutine[Any, Any, Standing]) -> None:
        name = entry.folder.name
        standing = Standing.FAILED
        try:
            standing = await work
        except* (SyncTrouble, BrokenScan) as troubles:
            self._fail(name, first_message(troubles))
        except* Exception as problems:
            self.failed[name] = first_message(problems)
            log.exception("a fault inside sync", extra=about(scan=name))
        if self._tasks.get(name) is asyncio.current_task():
            del self._tasks[name]
            delivery = self._deliveries.pop(name, None)
            at_bytes = delivery.journal_bytes if delivery is not None and standing is Standing.RESTING else None
            self._backlog.put_down(name, standing, at_bytes=at_bytes)

    async def _carry(self, entry: Entry, delivery: Delivery, once: bool) -> Standing:
        job = await delivery.run(until_sealed=not once)
        if job is None:
            return Standing.RESTING
        self._follower.add(entry.folder, job.job_id)
        return Standing.FOLLOWED

    async def _fetch(self, entry: Entry, job: Job) -> Standing:
        await fetch_results(entry.folder, job, self._way)
        return Standing.DONE

    def _ended(self, name: str, job: Job) -> None:
        self._homeward[name] = job

    def _lost(self, name: str, trouble: SyncTrouble) -> None:
        entry = self._backlog.entries.get(name)
        if entry is None:
            return
        if isinstance(trouble, JobUnknown):
            log.warning("%s; the scan is handed over again", trouble, extra=about(scan=name))
            file = StateFile(entry.folder)
            file.change(job=None)
            file.save(durable=True)
            self._backlog.put(name, Standing.READY)
        else:
            self._fail(name, str(trouble))
            self._backlog.put_down(name, Standing.FAILED)

    def _fail(self, name: str, why: str) -> None:
        self.failed[name] = why
        log.error("%s", why, extra=about(scan=name))

    def _busy(self) -> bool:
        return bool(self._tasks or self._homeward or len(self._follower) or self._backlog.having(Standing.READY))

    def _figures(self) -> Figures:
        return Figures(
            carried=len(self._deliveries),
            waiting=len(self._backlog.having(Standing.READY)),
            in_work=len(self._follower) + len(self._backlog.having(Standing.HOMEWARD)) + len(self._homeward),
            bytes_left=sum(delivery.bytes_left for delivery in self._deliveries.values()),
            first=self._choice.scan_id,
        )
