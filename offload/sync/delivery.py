"""One scan on its way: its photos up while it is still being taken, then the bundle, then the model back."""

import asyncio
import logging
from functools import partial
from pathlib import Path

from offload.durable import sha256_of
from offload.logs.fields import about
from offload.sync.client import ServiceClient, SyncTrouble, TryAgain
from offload.sync.outbox import Outbox
from offload.sync.patience import Patience
from offload.sync.results import bring_back
from offload.sync.state import StateFile
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, JobState, MissingBlobs

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Between two looks at the journal, at a job, and two writings of the state."""


class PhotoChanged(TryAgain):
    """A photo on disk is not what the journal says: replaced by a retake whose line is still to come, or damaged."""

    pause_s = 0.5


class PhotoDamaged(SyncTrouble):
    """A photo of a sealed scan is not the one that was sealed."""


class JobFailed(SyncTrouble):
    """The job ended without results; the message is the service's."""


class Delivery:
    """Carries one scan. Safe to stop anywhere and to begin anew: the service knows what it has."""

    def __init__(
        self, folder: Path, client: ServiceClient, connections: asyncio.Semaphore, patience: Patience
    ) -> None:
        self._client, self._connections, self._patience = client, connections, patience
        self._outbox = Outbox(folder)
        self._file = StateFile(folder)
        self._confirmed: set[str] = set()
        self._troubles: dict[str, str] = {}

    async def run(self, *, until_sealed: bool) -> None:
        """Carry the scan to its results. Raises SyncTrouble, BrokenScan once nothing more can be done.

        With `until_sealed` it waits for more photos of a scan that is not sealed; else it brings up what is there.
        """
        try:
            job = await self._hand_over(until_sealed)
            if job is not None:
                await self._bring_back(await self._follow(job))
        except Exception as problem:
            self._file.change(last_error=first_message(problem))
            raise
        finally:
            self._file.save(durable=True)

    async def _hand_over(self, until_sealed: bool) -> Job | None:
        while True:
            manifest = await self._bring_up(until_sealed)
            if manifest is None:
                return None
            answer = await self._patience.call(partial(self._client.submit, manifest), partial(self._note, "bundle"))
            if isinstance(answer, Job):
                log.info("handed over", extra=about(scan=manifest.scan_id, job=answer.job_id))
                return answer
            self._forget(answer)

    def _forget(self, answer: MissingBlobs) -> None:
        log.warning("the service has lost %d files", len(answer.missing), extra=about(scan=self._file.state.scan_id))
        self._confirmed -= set(answer.missing)

    async def _bring_up(self, until_sealed: bool) -> Manifest | None:
        """Upload files as they become known; return the manifest once all of its files are confirmed."""
        uploads: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._outbox.refresh()
                wanted = self._outbox.wanted()
                for file in wanted:
                    if file.sha256 not in self._confirmed and file.sha256 not in uploads:
                        uploads[file.sha256] = group.create_task(self._upload(file), name=f"upload {file.name}")
                self._count(wanted)
                self._file.save()
                if all(file.sha256 in self._confirmed for file in wanted) and (
                    self._outbox.manifest is not None or not until_sealed
                ):
                    return self._outbox.manifest
                await _first_of(uploads, LOOK_S)

    async def _upload(self, file: StoredFile) -> None:
        async def attempt() -> None:
            if not self._is_wanted(file):
                return
            path = self._outbox.path(file)
            if await asyncio.to_thread(_hash_or_none, path) != file.sha256:
                kind = PhotoChanged if self._outbox.manifest is None else PhotoDamaged
                raise kind(f"{path} is not the photo that was taken (expected sha256 {file.sha256}); take it again")
            async with self._connections:
                await self._client.upload(path, file, self._on_sent)

        await self._patience.call(attempt, partial(self._note, file.name))
        if self._is_wanted(file):
            self._confirmed.add(file.sha256)

    def _is_wanted(self, file: StoredFile) -> bool:
        return any(file.sha256 == other.sha256 for other in self._outbox.wanted())

    async def _follow(self, job: Job) -> Job:
        while not job.state.final:
            self._file.change(job=job)
            self._file.save()
            await asyncio.sleep(LOOK_S)
            job = await self._patience.call(partial(self._client.job, job.job_id), partial(self._note, "job"))
        self._file.change(job=job)
        if job.state is not JobState.COMPLETED:
            raise JobFailed(job.error or f"the job was {job.state}")
        return job

    async def _bring_back(self, job: Job) -> None:
        async def download(job_id: str, file: StoredFile, target: Path) -> None:
            attempt = partial(self._client.download, job_id, file, target)
            await self._patience.call(attempt, partial(self._note, file.name))

        await bring_back(job, self._outbox.folder, download)
        self._file.change(results_in_place=True, last_error=None)
        log.info("results are in place", extra=about(scan=job.scan_id, job=job.job_id))

    def _on_sent(self, size_bytes: int) -> None:
        self._file.change(bytes_sent=self._file.state.bytes_sent + size_bytes)

    def _note(self, what: str, trouble: str | None) -> None:
        if trouble is None:
            self._troubles.pop(what, None)
        elif trouble not in self._troubles.values():
            job = self._file.state.job
            fields = about(scan=self._file.state.scan_id, job=job.job_id if job else None)
            log.warning("%s", trouble, extra=fields)
        if trouble is not None:
            self._troubles[what] = trouble
        self._file.change(last_error=next(reversed(self._troubles.values()), None))
        self._file.save()

    def _count(self, wanted: tuple[StoredFile, ...]) -> None:
        confirmed = [file for file in wanted if file.sha256 in self._confirmed]
        self._file.change(
            files_confirmed=len(confirmed),
            bytes_confirmed=sum(file.size_bytes for file in confirmed),
            bytes_known=sum(file.size_bytes for file in wanted),
        )


def first_message(problem: BaseException) -> str:
    """Return what the first error says of those that ended a group of tasks."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return str(problem)


async def _first_of(uploads: dict[str, asyncio.Task[None]], timeout_s: float) -> None:
    """Wait for an upload to end, or for the time; forget those that have."""
    if running := list(uploads.values()):
        await asyncio.wait(running, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.sleep(timeout_s)
    for sha256, task in list(uploads.items()):
        if task.done():
            del uploads[sha256]


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return None
