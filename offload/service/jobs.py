"""From a bundle to exactly one durable job."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from offload.depot.estimate import estimate_s
from offload.depot.keys import Keys
from offload.depot.new_job import NewJob, add_job
from offload.depot.storage import Storage
from offload.depot.tenant_jobs import TenantJobs
from offload.logs.fields import about
from offload.people.audit import note
from offload.people.principal import Principal
from offload.people.quotas import SUBMITTED, Claims, check_jobs
from offload.service.jpeg import NotAJpeg, jpeg_size_px
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, MissingBlobs, Priority

log = logging.getLogger(__name__)

LOOKS_AT_ONCE = 16
"""Into a storage that lies elsewhere: each look is a request."""
Answer = TypeVar("Answer")


class BundleRefused(RuntimeError):
    """The bundle cannot become a job; the message names the file and what was expected."""


class FilesMissing(RuntimeError):
    """The bundle came before some of its files."""

    def __init__(self, missing: MissingBlobs) -> None:
        super().__init__(f"{len(missing.missing)} files of the bundle are not here yet")
        self.missing = missing


@dataclass(frozen=True)
class Wishes:
    """What comes with a bundle, and is no part of it."""

    priority: Priority = Priority.NORMAL
    needs: tuple[str, ...] = ()


class Intake:
    """Accepts bundles. A job's row is its place in the queue."""

    def __init__(self, storage: Storage, engine: sa.Engine) -> None:
        self._storage, self._engine = storage, engine
        self._pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")
        self._claims = Claims(engine)

    def close(self) -> None:
        """End its threads; the engine stays open."""
        self._pool.shutdown()

    def accept(
        self, whose: Principal, manifest: Manifest, claimed_sha256: str | None, wishes: Wishes
    ) -> tuple[Job, bool]:
        """Return the bundle's job and whether it is new.

        Raises BundleRefused, FilesMissing, QuotaExceeded, StorageTrouble.
        """
        bundle_sha256 = manifest.digest()
        if claimed_sha256 is not None and claimed_sha256 != bundle_sha256:
            raise BundleRefused(
                f"the manifest of {manifest.scan_id} hashes to {bundle_sha256}, but was sent as {claimed_sha256}: "
                "it was damaged or written by another version: seal the scan again"
            )
        wanted = NewJob.of_bundle(
            manifest,
            whose.tenant_id,
            submitted_by=whose.actor,
            project_id=whose.project_id,
            priority=wishes.priority,
            needs=wishes.needs,
        )
        if (known := TenantJobs(self._engine, whose.tenant_id).find(wanted.job_id)) is not None:
            return known, False
        keys = Keys.of_tenant(whose.tenant_id)
        self._check_names(manifest)
        self._claims.renew(whose.tenant_id, manifest.files())
        self._check_present(manifest, keys)
        self._check_photos(manifest, keys)
        job, is_new = self.enqueue(whose, wanted)
        if is_new:
            log.info("queued: %d photos", len(manifest.frames), extra=about(job=job.job_id, scan=job.scan_id))
        return job, is_new

    def enqueue(self, whose: Principal, wanted: NewJob) -> tuple[Job, bool]:
        """Return the job and whether it is new.

        One that its tenant made before under the same idempotency key is returned in its stead. Raises QuotaExceeded.
        """
        with self._engine.begin() as connection:
            expected_s = wanted.estimate_s or estimate_s(connection, wanted.photos)
            is_new = add_job(connection, replace(wanted, estimate_s=expected_s))
            if is_new:
                note(connection, whose, SUBMITTED, wanted.job_id, kind=wanted.kind)
                check_jobs(connection, whose)
        jobs = TenantJobs(self._engine, wanted.tenant_id)
        earlier = jobs.with_idempotency_key(wanted.idempotency_key) if wanted.idempotency_key else None
        return earlier or jobs.get(wanted.job_id), is_new

    def _check_names(self, manifest: Manifest) -> None:
        folders = {name.split("/")[0] for name in (file.name for file in manifest.files()) if "/" in name}
        for file in manifest.files():
            if file.name == "manifest.json" or file.name in folders:
                raise BundleRefused(f"a file of the bundle may not be called {file.name}: the name is taken")

    def _check_present(self, manifest: Manifest, keys: Keys) -> None:
        files = tuple({file.sha256: file for file in manifest.files()}.values())
        stored = list(self._each(keys, files, lambda file: self._storage.stat(keys.blob(file.sha256))))
        missing = tuple(file.sha256 for file, found in zip(files, stored, strict=True) if found is None)
        if missing:
            raise FilesMissing(MissingBlobs(missing=missing))
        sizes_bytes = {file.sha256: found.size_bytes for file, found in zip(files, stored, strict=True) if found}
        for file in manifest.files():
            if sizes_bytes[file.sha256] != file.size_bytes:
                raise BundleRefused(
                    f"{file.name} has {sizes_bytes[file.sha256]} bytes under its hash, the manifest says "
                    f"{file.size_bytes}; seal the scan again"
                )

    def _check_photos(self, manifest: Manifest, keys: Keys) -> None:
        for number, camera in enumerate(manifest.all_cameras()):
            whose = f"of camera {camera.name} " if manifest.cameras else ""
            files, expected = manifest.photos_of(number), camera.size_px
            for file, found in zip(files, self._each(keys, files, partial(self._photo_size_px, keys)), strict=True):
                if found != expected:
                    raise BundleRefused(
                        f"{file.name} is {found[0]}x{found[1]} pixels, the bundle says {expected[0]}x{expected[1]}; "
                        f"all photos {whose}of a scan must have one size"
                    )

    def _photo_size_px(self, keys: Keys, file: StoredFile) -> tuple[int, int]:
        try:
            with self._storage.open(keys.blob(file.sha256)) as stream:
                return jpeg_size_px(stream)
        except NotAJpeg as problem:
            raise BundleRefused(f"{file.name} {problem}; take this photo again") from problem

    def _each(
        self, keys: Keys, files: Sequence[StoredFile], look: Callable[[StoredFile], Answer]
    ) -> Iterator[Answer]:
        """Look at each file, in order; at many at once where a look is a request."""
        is_near = not files or self._storage.local(keys.blob(files[0].sha256)) is not None
        return map(look, files) if is_near else self._pool.map(look, files)
