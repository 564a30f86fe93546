"""The photos of a job that names them by URL: from there into storage, and into the manifest that every job has."""

import asyncio
import shutil

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.ledger import Ledger
from offload.depot.new_job import JobKind
from offload.depot.storage import Storage
from offload.fetch.addresses import AddressPolicy
from offload.wire.reconstruct import ReconstructRequest
from offload.worker.image_bundle import bundle_of, read_photos
from offload.worker.image_fetch import ImageFetch, IsUnwanted
from offload.worker.patience import until_stored


class Images:
    """Gathers the photos of one job at a time."""

    def __init__(self, folder: DataFolder, ledger: Ledger, storage: Storage, policy: AddressPolicy) -> None:
        self._folder, self._ledger, self._storage, self._policy = folder, ledger, storage, policy

    async def gather(self, job_id: str, is_unwanted: IsUnwanted, about: dict[str, object]) -> None:
        """Give the job its manifest, unless it has one. Raises ImagesRefused, Unwanted.

        Safe to repeat: photos that are whole on this disk are not fetched again.
        """
        row = await asyncio.to_thread(self._ledger.row, job_id)
        if row["kind"] != JobKind.IMAGES or row["manifest"] is not None:
            return
        request = ReconstructRequest.model_validate(row["request"])
        folder = self._folder.job(job_id) / "photos"
        paths = await ImageFetch(self._policy, request, folder).fetch(is_unwanted)
        photos = await asyncio.to_thread(read_photos, request, paths)
        manifest = bundle_of(job_id, row["created_at"], request, photos)
        keys = Keys.of_tenant(row["tenant_id"])

        def store() -> None:
            for photo in photos:
                if self._storage.stat(keys.blob(photo.file.sha256)) is None:
                    self._storage.put(keys.blob(photo.file.sha256), photo.path, photo.file.sha256)

        await until_stored(store, is_unwanted, about)
        await asyncio.to_thread(self._ledger.set_manifest, job_id, manifest)
        shutil.rmtree(folder, ignore_errors=True)
