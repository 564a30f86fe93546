"""Uploaded files under their SHA-256. A file grows in `parts/`; only a whole and verified one gets into storage.

It is confirmed once storage has it. Killed before, the service still has the part: the sender is told that every byte
is here, sends none, and the part goes into storage then.
"""

import errno
import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from offload.depot.folder import DataFolder
from offload.depot.keys import Keys
from offload.depot.storage import ContentDamaged, Storage, StorageFull

LARGEST_BLOB_BYTES = 64 << 20
SPARE_BYTES = 256 << 20
"""Left free on the disk, so that the database can always commit."""


class BlobRefused(RuntimeError):
    """This upload cannot go on; the message says why."""


class BlobTooLarge(BlobRefused):
    """Longer than the service takes, or than announced."""


class BlobBusy(BlobRefused):
    """Another connection is writing this file; ask again for the offset."""


class BlobMismatch(BlobRefused):
    """The content does not have the hash it was sent under; what was there is gone."""


class DiskFull(BlobRefused):
    """No space for this file on the service."""


class WrongOffset(BlobRefused):
    """The file goes on elsewhere."""

    def __init__(self, offset_bytes: int) -> None:
        super().__init__(f"the file goes on at offset {offset_bytes}")
        self.offset_bytes = offset_bytes


@dataclass(frozen=True)
class BlobStatus:
    """What the service has of a file."""

    complete: bool
    offset_bytes: int


class PartWriter:
    """The one writer of a file that is arriving. The kernel frees its lock, however this process ends."""

    def __init__(
        self, store: "BlobStore", sha256: str, descriptor: int, offset_bytes: int, length_bytes: int
    ) -> None:
        self._store, self._sha256, self._descriptor = store, sha256, descriptor
        self.offset_bytes = offset_bytes
        self.length_bytes = length_bytes

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Raises BlobTooLarge, DiskFull."""
        if self.offset_bytes + len(chunk) > self.length_bytes:
            raise BlobTooLarge(f"more than the announced {self.length_bytes} bytes arrived for {self._sha256}")
        view = memoryview(chunk)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as problem:
                if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskFull(f"the service's disk is full; {self._sha256} is incomplete") from problem
                raise
            self.offset_bytes += written
            view = view[written:]

    @property
    def arrived(self) -> bool:
        """Whether every announced byte is there."""
        return self.offset_bytes == self.length_bytes

    def finish(self) -> None:
        """Verify the whole file and bring it into storage, durably; what is not what it is called is discarded.

        Raises BlobMismatch, DiskFull, StorageTrouble. Killed or refused, the part stays for the next try.
        """
        part = self._store.part(self._sha256)
        os.fsync(self._descriptor)
        try:
            self._store.storage.put(self._store.key(self._sha256), part, self._sha256)
        except ContentDamaged as damage:
            part.unlink()
            raise BlobMismatch(
                f"the {self.length_bytes} bytes sent as {self._sha256} hash to {damage.found}; they were discarded: "
                "read the file again and send it under its own hash"
            ) from damage
        except StorageFull as problem:
            raise DiskFull(str(problem)) from problem
        part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _value: object, _traceback: TracebackType | None) -> None:
        os.close(self._descriptor)


class BlobStore:
    """The uploaded files of one namespace: parts in the data folder, whole files in storage."""

    def __init__(
        self,
        folder: DataFolder,
        storage: Storage,
        keys: Keys | None = None,
        largest_bytes: int = LARGEST_BLOB_BYTES,
        spare_bytes: int = SPARE_BYTES,
    ) -> None:
        self._folder, self.storage, self._keys = folder, storage, keys or Keys()
        self._largest_bytes, self._spare_bytes = largest_bytes, spare_bytes

    def key(self, sha256: str) -> str:
        """Return what a file is called in storage."""
        return self._keys.blob(sha256)

    def part(self, sha256: str) -> Path:
        """Return where a file grows; two namespaces never share one."""
        return self._folder.part(f"{self._keys.namespace}.{sha256}" if self._keys.namespace else sha256)

    def status(self, sha256: str) -> BlobStatus:
        """Return how much of a file is here. Raises StorageTrouble."""
        if (stored := self.storage.stat(self.key(sha256))) is not None:
            self.part(sha256).unlink(missing_ok=True)  # Left by a kill just after it was stored.
            return BlobStatus(True, stored.size_bytes)
        try:
            return BlobStatus(False, self.part(sha256).stat().st_size)
        except FileNotFoundError:
            return BlobStatus(False, 0)

    def append(self, sha256: str, offset_bytes: int, length_bytes: int) -> PartWriter | None:
        """Return the writer that goes on at this offset; None if the file is complete already.

        Raises BlobTooLarge, BlobBusy, WrongOffset, DiskFull, StorageTrouble.
        """
        self._check_room(sha256, length_bytes - offset_bytes, length_bytes)
        descriptor = self._open_part(sha256)
        try:
            self._lock(descriptor, sha256)
            if self.status(sha256).complete:
                os.close(descriptor)
                return None
            present_bytes = os.fstat(descriptor).st_size
            if present_bytes > length_bytes:
                os.ftruncate(descriptor, 0)
                present_bytes = 0
            if present_bytes != offset_bytes:
                raise WrongOffset(present_bytes)
        except BaseException:
            os.close(descriptor)
            raise
        return PartWriter(self, sha256, descriptor, offset_bytes, length_bytes)

    def _open_part(self, sha256: str) -> int:
        part, flags = self.part(sha256), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(part, flags, 0o600)
        except PermissionError:
            # A kill just after it became the stored file's other name, which is only for reading.
            part.unlink(missing_ok=True)
            return os.open(part, flags, 0o600)

    def _check_room(self, sha256: str, wanted_bytes: int, length_bytes: int) -> None:
        if length_bytes > self._largest_bytes:
            raise BlobTooLarge(f"{sha256} has {length_bytes} bytes; the service takes at most {self._largest_bytes}")
        free_bytes = shutil.disk_usage(self._folder.parts).free
        if free_bytes < wanted_bytes + self._spare_bytes:
            raise DiskFull(
                f"the service has {free_bytes >> 20} MiB free and keeps {self._spare_bytes >> 20} MiB; "
                f"{wanted_bytes} bytes do not fit: free some space, then send again"
            )

    def _lock(self, descriptor: int, sha256: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BlobBusy(f"{sha256} is being written by another connection") from problem
        # The file may have been published or discarded between open and lock: then the lock is on a stranger.
        try:
            same = os.fstat(descriptor).st_ino == self.part(sha256).stat().st_ino
        except FileNotFoundError:
            same = False
        if not same and not self.status(sha256).complete:
            raise BlobBusy(f"{sha256} has just been discarded; ask again for the offset")
