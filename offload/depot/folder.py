"""Where everything lies in the data folder.

offload.sqlite          our tables, and the queue (DBOS), unless they are in PostgreSQL
blobs/ab/abcd…          uploaded files under their SHA-256, whole and verified, read-only
parts/abcd….part        uploads under way
jobs/<job>/bundle/      the bundle laid out for the engine, hard links where they can be had
jobs/<job>/attempts/N/  one run of the engine: out/, engine.log, and done.json once its results are complete
jobs/<job>/results/…    whole and verified, in a folder for each set of results (`depot.keys`)
cache/ab/abcd…          files that a worker has fetched from a storage elsewhere
workers/<slot>/         lock and worker.json of the worker in that slot

Without OFFLOAD_STORAGE_URL this folder is the storage; with it, blobs and results lie there under the same names.
"""

import os
from dataclasses import dataclass
from pathlib import Path


class FolderUnusable(RuntimeError):
    """A folder cannot be made or written to; the message says which and what to do."""


def make_folder(folder: Path) -> None:
    """Make a folder unless it is there. Raises FolderUnusable, also when one that is there is closed to us."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnusable(
            f"{folder}: cannot be made a folder: {error.strerror}; name another, or change its rights"
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise FolderUnusable(f"{folder}: may not be written to by this user; name another, or change its rights")


@dataclass(frozen=True)
class DataFolder:
    """Paths in one data folder. Creates nothing but what `create` says."""

    root: Path

    def create(self) -> None:
        """Make the folder and its first level; safe to repeat. Raises FolderUnusable."""
        for folder in (self.root, self.blobs, self.parts, self.jobs, self.workers):
            make_folder(folder)

    @property
    def database(self) -> Path:
        """The SQLite file of jobs and queue."""
        return self.root / "offload.sqlite"

    @property
    def blobs(self) -> Path:
        """Whole and verified files."""
        return self.root / "blobs"

    @property
    def parts(self) -> Path:
        """Files that are still arriving."""
        return self.root / "parts"

    @property
    def jobs(self) -> Path:
        """One folder a job."""
        return self.root / "jobs"

    @property
    def cache(self) -> Path:
        """What workers have fetched from a storage elsewhere; may be deleted at any time."""
        return self.root / "cache"

    @property
    def workers(self) -> Path:
        """One folder a worker slot."""
        return self.root / "workers"

    def part(self, sha256: str) -> Path:
        """Return where this file grows until it is whole."""
        return self.parts / f"{sha256}.part"

    def job(self, job_id: str) -> Path:
        """Return the folder of a job; it exists once a worker has begun."""
        return self.jobs / job_id

    def worker(self, slot: int) -> Path:
        """Return the folder of a worker slot."""
        return self.workers / str(slot)
