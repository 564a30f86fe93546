"""Storage in a local folder: written aside or linked, fsynced, and the folder fsynced too."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from offload.depot.folder import make_folder
from offload.depot.keys import checked_key
from offload.depot.storage import ContentDamaged, NotStored, Stored, full_told
from offload.durable import fsync_file, fsync_folder, sha256_of

ABANDONED_S = 3600.0
"""A copy that was begun so long ago will never be finished."""
READ_ONLY = 0o444
TRIES = 100
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES}


class FolderStorage:
    """Files under a folder. Where source and target are on one disk, a file is stored by a second name for it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def title(self) -> str:
        """What it is, for logs and people."""
        return f"the folder {self._root}"

    def check(self) -> None:
        """Make the folder if it is not there. Raises FolderUnusable."""
        make_folder(self._root)

    def put(self, key: str, path: Path, sha256: str) -> None:
        """Store a local file: `Storage.put`. Raises ContentDamaged, StorageFull."""
        target = self._path(key)
        check_content(path, sha256)
        with full_told(target):
            fsync_file(path)
            _while_folders_go(path, lambda: _place(path, target, sha256))

    def stat(self, key: str) -> Stored | None:
        """Return what is stored there."""
        try:
            return Stored(key, self._path(key).stat().st_size)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, key: str) -> BinaryIO:
        """Open a stored file for reading. Raises NotStored."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as problem:
            raise NotStored(f"{key} is not in {self.title}") from problem

    def fetch(self, key: str, target: Path, sha256: str) -> None:
        """Make `target` another name of the stored file, or a copy on another disk: `Storage.fetch`."""
        path = self._path(key)
        if not path.is_file():
            raise NotStored(f"{key} is not in {self.title}")
        check_content(path, sha256)
        with full_told(target):
            if not _linked(path, target):
                _copy_over(path, target)

    def local(self, key: str) -> Path | None:
        """Return where the file lies."""
        return self._path(key)

    def link(self, key: str, valid_s: float) -> str | None:
        """Return None: only the service itself hands files of a folder out."""
        return None

    def delete(self, keys: Iterable[str]) -> None:
        """Make these files gone, and the folders that they leave empty."""
        touched: set[Path] = set()
        for path in map(self._path, keys):
            path.unlink(missing_ok=True)
            touched.add(path.parent)
        for folder in touched:
            self._forget_empty(folder)

    def below(self, prefix: str) -> Iterator[Stored]:
        """Go through all files below a folder, by name; what is still being written does not count."""
        folder = self._path(prefix.removesuffix("/"))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield Stored(path.relative_to(self._root).as_posix(), path.stat().st_size)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _forget_empty(self, folder: Path) -> None:
        """Take folders away as long as they are empty; others may do the same, or put something in."""
        while folder != self._root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                break
            folder = folder.parent
        try:
            fsync_folder(folder)
        except FileNotFoundError:
            self._forget_empty(folder.parent)


def check_content(path: Path, sha256: str) -> None:
    """Raise ContentDamaged unless a local file has this hash."""
    found = sha256_of(path)
    if found != sha256:
        raise ContentDamaged(str(path), sha256, found)


def _place(path: Path, target: Path, sha256: str) -> None:
    _make_durable_folder(target.parent)
    if not _linked(path, target) and not _has_content(target, sha256):
        _copy_over(path, target)
    target.chmod(READ_ONLY)
    fsync_folder(target.parent)


def _while_folders_go(path: Path, place: Callable[[], None]) -> None:
    """Do it again where somebody who deletes took the folder away just before, since it was empty."""
    for left in reversed(range(TRIES)):
        try:
            place()
            return
        except (FileNotFoundError, FileExistsError):  # The latter from mkdir, of a folder that went as it looked.
            if left == 0 or not path.exists():
                raise


def _has_content(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _make_durable_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_durable_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


def _linked(path: Path, target: Path) -> bool:
    """Whether `target` has just become another name of the file; not where one is there, or on another disk."""
    try:
        os.link(path, target)
    except OSError as problem:
        if problem.errno in _NO_LINK | {errno.EEXIST}:
            return False
        raise
    return True


def _copy_over(path: Path, target: Path) -> None:
    for left in target.parent.glob(f".{target.name}.*.tmp"):
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            left.unlink(missing_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        shutil.copyfile(path, aside)
        fsync_file(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
