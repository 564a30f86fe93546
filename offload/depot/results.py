"""Results in storage. They are stored as a set, and become a job's by one row that names the set's hashes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from offload.depot.keys import Keys, set_of
from offload.depot.storage import Storage
from offload.wire.bundle import StoredFile


class ResultShelf:
    """The results of the jobs of one namespace."""

    def __init__(self, storage: Storage, keys: Keys | None = None) -> None:
        self.storage, self._keys = storage, keys or Keys()

    def put(self, job_id: str, out: Path, files: Sequence[StoredFile]) -> Iterator[StoredFile]:
        """Store a set of results out of a folder, and yield each file once it is there; what is there stays.

        Safe to stop anywhere and to repeat: nobody sees a set before a job's row names it. Raises StorageTrouble.
        """
        for file in files:
            key = self._keys.result(job_id, files, file.name)
            stored = self.storage.stat(key)
            if stored is None or (stored.size_bytes, stored.sha256) != (file.size_bytes, file.sha256):
                self.storage.put(key, out / file.name, file.sha256)
            yield file

    def find(self, job_id: str, files: Sequence[StoredFile], name: str) -> str | None:
        """Return the key of a result, or None if the storage has lost it. Raises StorageTrouble."""
        candidates = (self._keys.result(job_id, files, name), f"{self._keys.results(job_id)}{name}")
        return next((key for key in candidates if self.storage.stat(key) is not None), None)

    def drop_others(self, job_id: str, files: Sequence[StoredFile]) -> None:
        """Delete what other attempts have stored; of a job without results, everything."""
        ours = self._keys.results(job_id)
        kept = (f"{ours}{set_of(files)}/", *(f"{ours}{file.name}" for file in files)) if files else ()
        self.storage.delete([stored.key for stored in self.storage.below(ours) if not stored.key.startswith(kept)])

    def erase(self, job_id: str) -> None:
        """Delete all results of a job; its row must be gone or say so first."""
        self.drop_others(job_id, ())
