"""One daemon a store: two would take turns with the same motor and tear each other's journals."""

import fcntl
import os
from pathlib import Path

from scannerd.store.durable import StoreFault


class StoreInUse(StoreFault):
    """Another process writes to this store."""


class StoreLock:
    """Held from construction until `close`; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises StoreInUse, StoreFault."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreFault(f"{path}: cannot be made: {error.strerror}; check [store] folder") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            self.close()
            raise StoreInUse(
                f"{path.parent}: in use by process {holder}; stop it first, or use its button"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let go; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def lock_holder(path: Path) -> int | None:
    """Return the process that holds a store's lock, without touching it; None where nobody does, or nobody knows."""
    try:
        facts = path.stat()
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    where = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    for words in map(str.split, locks):
        if len(words) > 5 and words[1] == "FLOCK" and words[5] == where:
            return int(words[4])
    return None
