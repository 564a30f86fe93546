"""Where whole files lie for good: a local folder, or any S3. One protocol, so that nobody else need know which."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class StorageTrouble(RuntimeError):
    """Something between us and the storage; the message is for people and holds no secret."""


class StorageUnreachable(StorageTrouble):
    """No answer, or one that says: later. Waiting may help."""


class StorageRefused(StorageTrouble):
    """It answers, and lets us do nothing: wrong key, no such bucket. A person must act; waiting may help then."""


class StorageFull(StorageTrouble):
    """There is no space for this file."""


class NotStored(StorageTrouble):
    """There is no file of this name."""


class ContentDamaged(StorageTrouble):
    """A file does not have the content whose hash was given. `found` is the hash that it has."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(f"{what} hashes to {found}, expected {expected}")
        self.found = found


@dataclass(frozen=True)
class Stored:
    """A file that is there, whole."""

    key: str
    size_bytes: int
    sha256: str | None = None
    """As it was checked when it was put, where the storage keeps such a note."""


@contextmanager
def full_told(target: Path) -> Iterator[None]:
    """Make of an OSError that there is no space left for `target`: StorageFull."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no space for {target}: free some, then it goes on by itself") from problem
        raise


class Storage(Protocol):
    """Files under keys (`depot.keys`): each appears whole and verified, or not at all. For threads, not for the loop.

    Every method raises StorageTrouble of the kind that says what to do.
    """

    @property
    def title(self) -> str:
        """What it is, for logs and people."""

    def check(self) -> None:
        """Raise unless it can be used as it is configured."""

    def put(self, key: str, path: Path, sha256: str) -> None:
        """Store a local file, durably once this returns. Raises ContentDamaged unless it has this hash.

        The local file stays; it may become the stored one's other name, so nobody may write to it any more. Replaces
        what was there. A kill leaves the old file or the new one.
        """

    def stat(self, key: str) -> Stored | None:
        """Return what is stored there."""

    def open(self, key: str) -> BinaryIO:
        """Open a stored file for reading, anywhere in it. Raises NotStored."""

    def fetch(self, key: str, target: Path, sha256: str) -> None:
        """Make `target` the stored file, verified; it appears by rename. Not durable.

        Raises NotStored, ContentDamaged. It may be another name of the stored file: only for reading.
        """

    def local(self, key: str) -> Path | None:
        """Return where the file lies on this machine, or None where it lies elsewhere."""

    def link(self, key: str, valid_s: float) -> str | None:
        """Return a URL that gives the file to whoever has it, without any key; None where there are none."""

    def delete(self, keys: Iterable[str]) -> None:
        """Make these files gone, durably. Those that are not there are no error."""

    def below(self, prefix: str) -> Iterator[Stored]:
        """Go through all files whose key begins so; the prefix ends with a slash."""
