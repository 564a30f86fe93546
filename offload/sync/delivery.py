"""One scan on its way up: its photos while it is still being taken, the manifest last."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from offload.durable import sha256_of
from offload.logs.fields import about
from offload.sync.client import Upload
from offload.sync.lanes import Rank
from offload.sync.outbox import Outbox
from offload.sync.state import StateFile
from offload.sync.trouble import DeviceTrouble, SyncTrouble, TryAgain
from offload.sync.way import Way
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, MissingBlobs

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Between two looks at the journal of a scan that is being taken."""
REST_AFTER_S = 120.0
"""A scan that gets no more photos is put down, and taken up again at the next one."""


class PhotoChanged(TryAgain):
    """A photo on disk is not what the journal says: replaced by a retake whose line is still to come, or damaged."""

    pause_s = 0.5


class PhotoDamaged(SyncTrouble):
    """A photo of a sealed scan is not the one that was sealed."""


class Delivery:
    """Carries one scan up. Safe to stop anywhere and to begin anew: the service knows what it has."""

    def __init__(self, folder: Path, way: Way, rank: Callable[[], Rank]) -> None:
        """`rank` says how urgent the scan is at the moment."""
        self._way, self._rank = way, rank
        self._outbox = Outbox(folder)
        self._file = StateFile(folder)
        self._confirmed: set[str] = set()
        self._checked: dict[str, tuple[int, int, int]] = {}
        self._troubles: dict[str, str] = {}

    @property
    def bytes_left(self) -> int:
        """Of the files that are there so far."""
        return self._file.state.bytes_known - self._file.state.bytes_confirmed

    @property
    def journal_bytes(self) -> int:
        """How much of the scan's journal it has seen."""
        return self._outbox.journal_bytes

    async def run(self, *, until_sealed: bool) -> Job | None:
        """Carry the scan until it is a job; None once a scan that is not sealed gets no more photos.

        With `until_sealed` it waits a while for more photos; else it brings up what is there. Raises SyncTrouble,
        BrokenScan once nothing more can be done.
        """
        try:
            return await self._hand_over(until_sealed)
        except Exception as problem:
            self._file.change(last_error=first_message(problem))
            raise
        finally:
            self._file.save(durable=True)

    async def _hand_over(self, until_sealed: bool) -> Job | None:
        self._outbox.refresh()
        begun = self._outbox.manifest if self._file.state.files_confirmed > 0 else None
        # One question instead of hundreds: what of it is not there yet?
        if begun is not None and (job := await self._submit(begun)) is not None:
            return job
        while True:
            manifest = await self._bring_up(until_sealed)
            if manifest is None:
                return None
            if (job := await self._submit(manifest)) is not None:
                return job

    async def _submit(self, manifest: Manifest) -> Job | None:
        """Return the job; None while files are missing, and then it is known which."""
        attempt = partial(self._way.client.submit, manifest)
        answer = await self._way.call(attempt, partial(self._note, "bundle"))
        if isinstance(answer, Job):
            wanted = self._outbox.wanted()
            self._confirmed |= {file.sha256 for file in wanted}
            self._count(wanted)
            self._file.change(job=answer, resting_at_bytes=None, last_error=None)
            log.info("handed over", extra=about(scan=manifest.scan_id, job=answer.job_id))
            return answer
        self._take_in(answer, manifest)
        return None

    def _take_in(self, answer: MissingBlobs, manifest: Manifest) -> None:
        lost = self._confirmed & set(answer.missing)
        if lost:
            log.warning("the service has lost %d files", len(lost), extra=about(scan=manifest.scan_id))
        self._confirmed = {file.sha256 for file in manifest.files()} - set(answer.missing)

    async def _bring_up(self, until_sealed: bool) -> Manifest | None:
        """Upload files as they become known; return the manifest once all of its files are confirmed."""
        uploads: dict[str, asyncio.Task[None]] = {}
        moved_s, seen_bytes = time.monotonic(), -1
        async with asyncio.TaskGroup() as group:
            while True:
                self._outbox.refresh()
                wanted = self._outbox.wanted()
                for file in self._next(wanted, uploads):
                    uploads[file.sha256] = group.create_task(self._upload(file), name=f"upload {file.name}")
                self._count(wanted)
                if uploads or seen_bytes != self._outbox.journal_bytes:
                    moved_s, seen_bytes = time.monotonic(), self._outbox.journal_bytes
                if not uploads and all(file.sha256 in self._confirmed for file in wanted):
                    if self._outbox.manifest is not None:
                        return self._outbox.manifest
                    idle_s = max(time.monotonic() - moved_s, self._outbox.idle_s)
                    if not until_sealed or idle_s > REST_AFTER_S:
                        self._file.change(resting_at_bytes=self._outbox.journal_bytes)
                        return None
                    self._file.save()
                self._file.save_progress()
                await _first_of(uploads, LOOK_S)

    def _next(self, wanted: tuple[StoredFile, ...], uploads: dict[str, asyncio.Task[None]]) -> list[StoredFile]:
        """Return what to begin with now: as many at a time as there are connections."""
        room = self._way.lanes.count - len(uploads)
        found: dict[str, StoredFile] = {}
        for file in wanted:
            if len(found) >= room:
                break
            if file.sha256 not in self._confirmed and file.sha256 not in uploads:
                found[file.sha256] = file
        return list(found.values())

    async def _upload(self, file: StoredFile) -> None:
        upload = Upload(self._outbox.path(file), file)
        attempt = partial(self._attempt, upload)
        await self._way.call(attempt, partial(self._note, file.name), lambda: upload.offset_bytes)
        if self._is_wanted(file):
            self._confirmed.add(file.sha256)

    async def _attempt(self, upload: Upload) -> None:
        """Ask what is there, then send the rest; a more urgent scan may go between two pieces."""
        if not self._is_wanted(upload.file):
            return
        async with self._way.lanes.taken(self._rank):
            await self._way.client.look_up(upload)
        while not upload.complete:
            await self._check(upload)
            async with self._way.lanes.taken(self._rank):
                try:
                    await self._way.client.send(upload, self._on_sent)
                except OSError as problem:
                    raise DeviceTrouble(f"{upload.path}: cannot be read: {problem.strerror}") from problem

    async def _check(self, upload: Upload) -> None:
        """What was sealed is sent, and nothing else. Read once, unless the file changes."""
        file, path = upload.file, upload.path
        stamp = _stamp(path)
        if stamp is not None and self._checked.get(file.sha256) == stamp:
            return
        if await asyncio.to_thread(_hash_or_none, path) != file.sha256:
            kind = PhotoChanged if self._outbox.manifest is None else PhotoDamaged
            raise kind(f"{path} is not the photo that was taken (expected sha256 {file.sha256}); take it again")
        if stamp is not None:
            self._checked[file.sha256] = stamp

    def _is_wanted(self, file: StoredFile) -> bool:
        return any(file.sha256 == other.sha256 for other in self._outbox.wanted())

    def _on_sent(self, size_bytes: int) -> None:
        self._file.change(bytes_sent=self._file.state.bytes_sent + size_bytes)

    def _note(self, what: str, trouble: TryAgain | None) -> None:
        if trouble is None and what not in self._troubles:
            return
        if trouble is None:
            del self._troubles[what]
        else:
            if trouble.hitch is None and str(trouble) not in self._troubles.values():
                log.warning("%s", trouble, extra=about(scan=self._file.state.scan_id))
            self._troubles[what] = str(trouble)
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


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return None
