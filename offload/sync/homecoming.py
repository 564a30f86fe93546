"""From a job to its model in the scan's folder: jobs are asked after one by one, results come back verified."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from offload.logs.fields import about
from offload.sync.patience import FIRST_PAUSE_S, GROWTH, LONGEST_PAUSE_S
from offload.sync.results import bring_back
from offload.sync.state import StateFile
from offload.sync.trouble import SyncTrouble, TryAgain
from offload.sync.way import Way
from offload.wire.bundle import StoredFile
from offload.wire.jobs import Job, JobState

log = logging.getLogger(__name__)

SOONEST_S, LATEST_S = 0.2, 10.0
"""Between two questions after the same job: often while it gets on, seldom while it waits."""
SLOWDOWN = 0.05
BETWEEN_S = 0.05
"""Between any two questions, however many jobs there are."""
IDLE_S = 0.1


class JobFailed(SyncTrouble):
    """The job ended without results; the message is the service's."""


@dataclass
class Followed:
    """One scan whose model is being made: all that is remembered of it meanwhile."""

    folder: Path
    job_id: str
    changed_s: float = field(default_factory=time.monotonic)
    due_s: float = 0.0

    def put_off(self, got_on: bool) -> None:
        """Choose when to ask again."""
        now_s = time.monotonic()
        if got_on:
            self.changed_s = now_s
        self.due_s = now_s + min(LATEST_S, max(SOONEST_S, (now_s - self.changed_s) * SLOWDOWN))


class Follower:
    """Asks after all jobs, one at a time; with a service that is gone there is one who knocks, not thousands."""

    def __init__(self, way: Way, ended: Callable[[str, Job], None], lost: Callable[[str, SyncTrouble], None]) -> None:
        """`ended` hears of final jobs, `lost` of those that nobody can tell anything of; both by the scan's name."""
        self._way, self._ended, self._lost = way, ended, lost
        self._followed: dict[str, Followed] = {}
        self._began_s: float | None = None
        self._most_s = FIRST_PAUSE_S

    def __len__(self) -> int:
        return len(self._followed)

    def add(self, folder: Path, job_id: str) -> None:
        """Follow the job of this scan."""
        self._followed[folder.name] = Followed(folder, job_id)

    def drop(self, name: str) -> None:
        """Forget a scan."""
        self._followed.pop(name, None)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            now_s = time.monotonic()
            due = min(self._followed.values(), key=lambda followed: followed.due_s, default=None)
            if due is None or due.due_s > now_s:
                await asyncio.sleep(IDLE_S)
                continue
            await self._ask(due)
            await asyncio.sleep(BETWEEN_S)

    async def _ask(self, followed: Followed) -> None:
        name, file = followed.folder.name, StateFile(followed.folder)
        try:
            job = await self._way.client.job(followed.job_id)
        except TryAgain as trouble:
            await self._stand_back(followed, file, trouble)
            return
        except SyncTrouble as trouble:
            self._give_up(followed, trouble)
            return
        self._began_s, self._most_s = None, FIRST_PAUSE_S
        self._tell(file, None)
        if self._followed.get(name) is not followed:  # Deleted, or begun anew, meanwhile.
            return
        followed.put_off(got_on=job != file.state.job)
        file.change(job=job)
        file.save()
        if job.state.final:
            self.drop(name)
            self._ended(name, job)

    async def _stand_back(self, followed: Followed, file: StateFile, trouble: TryAgain) -> None:
        """Wait for the service; then it is another job's turn, should it be this one that it stumbles over."""
        now_s = time.monotonic()
        self._tell(file, trouble)
        self._began_s = self._began_s if self._began_s is not None else now_s
        wait_s = trouble.pause_s + self._way.patience.chance.uniform(0, self._most_s)
        limit_s = self._way.patience.limit_s
        if limit_s is not None and now_s + wait_s > self._began_s + limit_s:
            self._give_up(followed, trouble)
            return
        followed.put_off(got_on=False)
        self._most_s = min(self._most_s * GROWTH, LONGEST_PAUSE_S)
        await asyncio.sleep(wait_s)

    def _tell(self, file: StateFile, trouble: TryAgain | None) -> None:
        self._way.report.note(trouble)
        _note(file, trouble)

    def _give_up(self, followed: Followed, trouble: SyncTrouble) -> None:
        name = followed.folder.name
        if self._followed.get(name) is followed:
            self.drop(name)
            self._lost(name, trouble)


async def fetch_results(folder: Path, job: Job, way: Way) -> None:
    """Put the results of a final job in place. Raises JobFailed, SyncTrouble."""
    file = StateFile(folder)
    note = partial(_note, file)

    async def download(job_id: str, stored: StoredFile, target: Path) -> None:
        await way.call(partial(way.client.download, job_id, stored, target), note)

    try:
        if job.state is not JobState.COMPLETED:
            raise JobFailed(job.error or f"the job was {job.state}")
        await bring_back(job, folder, download)
        file.change(results_in_place=True, last_error=None)
        log.info("results are in place", extra=about(scan=job.scan_id, job=job.job_id))
    except SyncTrouble as trouble:
        file.change(last_error=str(trouble))
        raise
    finally:
        file.save(durable=True)


def _note(file: StateFile, trouble: TryAgain | None) -> None:
    if trouble is None and file.state.last_error is None:
        return
    file.change(last_error=str(trouble) if trouble is not None else None)
    file.save()
