"""From a bundle to exactly one durable job."""

import logging

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from offload.depot.folder import DataFolder
from offload.depot.ledger import Ledger, job_id_of
from offload.depot.queue import APPLICATION, APPLICATION_VERSION, QUEUE, WORKFLOW
from offload.logs.fields import about
from offload.service.jpeg import NotAJpeg, jpeg_size_px
from offload.wire.bundle import Manifest, StoredFile
from offload.wire.jobs import Job, MissingBlobs

log = logging.getLogger(__name__)


class BundleRefused(RuntimeError):
    """The bundle cannot become a job; the message names the file and what was expected."""


class FilesMissing(RuntimeError):
    """The bundle came before some of its files."""

    def __init__(self, missing: MissingBlobs) -> None:
        super().__init__(f"{len(missing.missing)} files of the bundle are not here yet")
        self.missing = missing


class Intake:
    """Accepts bundles. A job's row and its place in the queue are one commit: never one without the other."""

    def __init__(self, folder: DataFolder, engine: sa.Engine) -> None:
        self._folder, self._engine = folder, engine
        self._ledger = Ledger(engine)
        self._client = DBOSClient(system_database_engine=engine, application_name=APPLICATION)

    def close(self) -> None:
        """Free what the queue's client holds; the engine stays open."""
        self._client.destroy()

    def accept(self, manifest: Manifest, claimed_sha256: str | None) -> tuple[Job, bool]:
        """Return the bundle's job and whether it is new. Raises BundleRefused, FilesMissing."""
        bundle_sha256 = manifest.digest()
        if claimed_sha256 is not None and claimed_sha256 != bundle_sha256:
            raise BundleRefused(
                f"the manifest of {manifest.scan_id} hashes to {bundle_sha256}, but was sent as {claimed_sha256}: "
                "it was damaged or written by another version: seal the scan again"
            )
        if (known := self._ledger.find(job_id_of(bundle_sha256))) is not None:
            return known, False
        self._check_names(manifest)
        self._check_present(manifest)
        self._check_photos(manifest)
        return self._enqueue(manifest, job_id_of(bundle_sha256))

    def _enqueue(self, manifest: Manifest, job_id: str) -> tuple[Job, bool]:
        options = EnqueueOptions(
            workflow_name=WORKFLOW, queue_name=QUEUE, workflow_id=job_id, app_version=APPLICATION_VERSION
        )
        with self._engine.begin() as connection:
            is_new = self._ledger.add(connection, manifest)
            if is_new:
                self._client.enqueue_in_transaction(connection, options, job_id)
        if is_new:
            log.info("queued: %d photos", len(manifest.frames), extra=about(job=job_id, scan=manifest.scan_id))
        return self._ledger.get(job_id), is_new

    def _check_names(self, manifest: Manifest) -> None:
        folders = {name.split("/")[0] for name in (file.name for file in manifest.files()) if "/" in name}
        for file in manifest.files():
            if file.name == "manifest.json" or file.name in folders:
                raise BundleRefused(f"a file of the bundle may not be called {file.name}: the name is taken")

    def _check_present(self, manifest: Manifest) -> None:
        wanted = dict.fromkeys(file.sha256 for file in manifest.files())
        missing = tuple(sha256 for sha256 in wanted if not self._folder.blob(sha256).is_file())
        if missing:
            raise FilesMissing(MissingBlobs(missing=missing))

    def _check_photos(self, manifest: Manifest) -> None:
        for file in manifest.files():
            self._check_length(file)
        for number, camera in enumerate(manifest.all_cameras()):
            whose = f"of camera {camera.name} " if manifest.cameras else ""
            for file in manifest.photos_of(number):
                self._check_size(file, camera.size_px, whose)

    def _check_size(self, file: StoredFile, expected: tuple[int, int], whose: str) -> None:
        try:
            found = jpeg_size_px(self._folder.blob(file.sha256))
        except NotAJpeg as problem:
            raise BundleRefused(f"{file.name} {problem}; take this photo again") from problem
        if found != expected:
            raise BundleRefused(
                f"{file.name} is {found[0]}x{found[1]} pixels, the bundle says {expected[0]}x{expected[1]}; "
                f"all photos {whose}of a scan must have one size"
            )

    def _check_length(self, file: StoredFile) -> None:
        size_bytes = self._folder.blob(file.sha256).stat().st_size
        if size_bytes != file.size_bytes:
            raise BundleRefused(
                f"{file.name} has {size_bytes} bytes under its hash, the manifest says {file.size_bytes}; "
                "seal the scan again"
            )
