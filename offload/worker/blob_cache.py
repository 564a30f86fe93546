"""Files that this machine has fetched from a storage elsewhere, kept for the next job; the oldest go first."""

import errno
import os
import shutil
import time
from pathlib import Path

from offload.depot.keys import Keys
from offload.depot.storage import ContentDamaged, Storage
from offload.depot.storage_folder import check_content
from offload.wire.bundle import StoredFile

ABANDONED_S = 3600.0
"""A download that was begun so long ago will never be finished."""
TRIES = 3
"""When another worker makes room just between fetching and using."""


class BlobCache:
    """Bundles' files for the workers of one machine, who may all use it at once.

    A storage that lies on this machine is used as it is, and nothing is kept.
    """

    def __init__(self, folder: Path, storage: Storage, most_bytes: int) -> None:
        self._folder, self._storage, self._most_bytes = folder, storage, most_bytes

    def put_at(self, keys: Keys, file: StoredFile, target: Path) -> None:
        """Make `target` this file, verified, and only for reading. Raises StorageTrouble.

        What is kept is told apart by its hash alone: a job gets no further than here with a hash that is not its
        tenant's.
        """
        key = keys.blob(file.sha256)
        if self._storage.local(key) is not None:
            self._storage.fetch(key, target, file.sha256)
            return
        for left in reversed(range(TRIES)):
            kept = self._kept(file, key)
            try:
                _link_or_copy(kept, target)
                return
            except FileNotFoundError:
                if left == 0:
                    raise

    def make_room(self) -> None:
        """Delete what was not used for the longest time until the cap is kept; bundles keep what they have."""
        files = []
        for path in self._folder.glob("*/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if not path.name.startswith("."):
                files.append((status.st_mtime, status.st_size, path))
            elif time.time() - status.st_mtime > ABANDONED_S:
                path.unlink(missing_ok=True)
        excess_bytes = sum(size_bytes for _, size_bytes, _ in files) - self._most_bytes
        for _, size_bytes, path in sorted(files):
            if excess_bytes <= 0:
                return
            path.unlink(missing_ok=True)
            excess_bytes -= size_bytes

    def _kept(self, file: StoredFile, key: str) -> Path:
        kept = self._folder / file.sha256[:2] / file.sha256
        if not _is_right(kept, file):
            kept.parent.mkdir(parents=True, exist_ok=True)
            self._storage.fetch(key, kept, file.sha256)
        os.utime(kept)
        return kept


def _is_right(path: Path, file: StoredFile) -> bool:
    """Nothing makes the cache durable, so a power cut may have left anything under a name."""
    try:
        check_content(path, file.sha256)
    except (FileNotFoundError, ContentDamaged):
        return False
    return True


def _link_or_copy(kept: Path, target: Path) -> None:
    try:
        os.link(kept, target)
    except OSError as problem:
        if problem.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        shutil.copyfile(kept, target)
