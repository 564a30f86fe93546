"""What goes by itself: finished jobs past their tenant's days, and uploads that no job has wanted for a while."""

import logging
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import sqlalchemy as sa

from offload.depot.folder import DataFolder
from offload.depot.instant import now
from offload.depot.job_row import UnknownJob
from offload.depot.keys import Keys
from offload.depot.new_job import insert_if_absent
from offload.depot.storage import Storage
from offload.depot.tables import BLOBS, JOBS, TENANTS
from offload.people.deletion import FINAL, Eraser, JobLives
from offload.people.principal import Principal, Scope

log = logging.getLogger(__name__)

GRACE = timedelta(days=14)
"""From the last time that somebody uploaded or submitted a file; scans are made and paused for days."""
AT_ONCE = 100
_SHA256 = re.compile(r'"sha256": ?"([0-9a-f]{64})"')


@dataclass
class Tidied:
    """How much went."""

    jobs: int = 0
    files: int = 0
    parts: int = 0


class Tidying:
    """Safe to stop anywhere, to repeat, and to do in several processes at once."""

    def __init__(
        self, engine: sa.Engine, storage: Storage, folder: DataFolder, eraser: Eraser, grace: timedelta = GRACE
    ) -> None:
        self._engine, self._storage, self._folder = engine, storage, folder
        self._eraser, self._grace = eraser, grace
        self.stop = Event()
        """Set, it ends after what is in hand."""

    def run(self) -> Tidied:
        """Tidy once. Raises StorageTrouble."""
        done = Tidied()
        with self._engine.connect() as connection:
            tenants = connection.execute(sa.select(TENANTS.c.tenant_id, TENANTS.c.keep_days)).all()
        for tenant_id, keep_days in tenants:
            if keep_days is not None:
                done.jobs += self._delete_jobs(tenant_id, timedelta(days=keep_days))
            done.files += self._sweep(tenant_id)
        done.parts = self._sweep_parts()
        if done != Tidied():
            log.info("tidied away: %d jobs, %d uploads, %d parts of uploads", done.jobs, done.files, done.parts)
        return done

    def _delete_jobs(self, tenant_id: str, kept: timedelta) -> int:
        whose, count = Principal(tenant_id, "retention", frozenset({Scope.JOBS_WRITE})), 0
        past = sa.and_(JOBS.c.tenant_id == tenant_id, JOBS.c.state.in_(FINAL), JOBS.c.updated_at < now() - kept)
        with self._engine.connect() as connection:
            job_ids = connection.scalars(sa.select(JOBS.c.job_id).where(past)).all()
        for job_id in job_ids:
            if self.stop.is_set():
                break
            try:
                self._eraser.delete_job(whose, job_id)
            except (UnknownJob, JobLives):  # Somebody else was faster.
                continue
            count += 1
        return count

    def _sweep(self, tenant_id: str) -> int:
        keys, count = Keys.of_tenant(tenant_id), 0
        self._count_uncounted(tenant_id, keys)
        unwanted = sorted(self._unwanted(tenant_id))
        for begin in range(0, len(unwanted), AT_ONCE):
            if self.stop.is_set():
                break
            count += self._delete_files(tenant_id, keys, unwanted[begin : begin + AT_ONCE])
        return count

    def _count_uncounted(self, tenant_id: str, keys: Keys) -> None:
        """Files of before uploads were counted get their days from now on."""
        with self._engine.connect() as connection:
            known = set(connection.scalars(sa.select(BLOBS.c.sha256).where(BLOBS.c.tenant_id == tenant_id)))
        for stored in self._storage.below(f"{keys.root}blobs/"):
            sha256 = stored.key.rpartition("/")[2]
            if sha256 not in known:
                row = {"tenant_id": tenant_id, "sha256": sha256, "size_bytes": stored.size_bytes, "wanted_at": now()}
                with self._engine.begin() as connection:
                    insert_if_absent(connection, BLOBS, row)

    def _unwanted(self, tenant_id: str) -> set[str]:
        """Return what is past its days and in no job; what is in one gets new days, and is looked for again then."""
        old = sa.and_(BLOBS.c.tenant_id == tenant_id, BLOBS.c.wanted_at < now() - self._grace)
        manifests = sa.select(JOBS.c.manifest).where(JOBS.c.tenant_id == tenant_id, JOBS.c.manifest.is_not(None))
        with self._engine.connect() as connection:
            candidates = set(connection.scalars(sa.select(BLOBS.c.sha256).where(old)))
            if not candidates:
                return candidates
            wanted: set[str] = set()
            for manifest in connection.execution_options(yield_per=AT_ONCE).scalars(manifests):
                wanted |= candidates.intersection(_SHA256.findall(manifest))
        with self._engine.begin() as connection:
            listed = sorted(wanted)
            for begin in range(0, len(listed), AT_ONCE):
                some = BLOBS.c.sha256.in_(listed[begin : begin + AT_ONCE])
                connection.execute(
                    sa.update(BLOBS).where(BLOBS.c.tenant_id == tenant_id, some).values(wanted_at=now())
                )
        return candidates - wanted

    def _delete_files(self, tenant_id: str, keys: Keys, some: list[str]) -> int:
        """Rows and files go under one lock: who wants one of them meanwhile waits, and then finds it missing."""
        old = sa.and_(BLOBS.c.tenant_id == tenant_id, BLOBS.c.wanted_at < now() - self._grace)
        with self._engine.begin() as connection:
            gone = sa.delete(BLOBS).where(old, BLOBS.c.sha256.in_(some)).returning(BLOBS.c.sha256)
            deleted = list(connection.scalars(gone))
            self._storage.delete([keys.blob(sha256) for sha256 in deleted])
        return len(deleted)

    def _sweep_parts(self) -> int:
        count = 0
        for part in self._folder.parts.glob("*.part"):
            try:
                if time.time() - part.stat().st_mtime > self._grace.total_seconds():
                    part.unlink()
                    count += 1
            except FileNotFoundError:
                continue
        return count
