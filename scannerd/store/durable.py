"""Files that are either there, whole, after any power cut, or not there at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StoreFault(RuntimeError):
    """The disk did not keep something. What was kept before stays."""


class StoreFull(StoreFault):
    """There is no space left, or a scan would need more than there is."""


def free_bytes_at(path: Path) -> int:
    """Return what an ordinary user may still write to the disk that holds `path`."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


@contextmanager
def explained(path: Path, size_bytes: int) -> Iterator[None]:
    """Turn an OSError while writing `size_bytes` to `path` into a StoreFault that says what to do."""
    try:
        yield
    except OSError as error:
        what = f"{path}: {size_bytes} bytes not written: {error.strerror}"
        if error.errno in _FULL:
            free_mb = free_bytes_at(path.parent) / 1e6
            raise StoreFull(f"{what} ({free_mb:.0f} MB free); free some space, then resume") from error
        raise StoreFault(f"{what}; check the disk, then resume") from error


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes, *, keep_mode: bool = False, mode: int = 0o666) -> None:
    """Write a temporary file, fsync it, rename it, fsync the folder. Raises StoreFault; then nothing changed.

    `mode` is the file's from its first moment on, less what the umask takes. With `keep_mode` the new file has the
    old one's permissions, and a link stays a link.
    """
    path = path.resolve() if keep_mode else path
    temporary = part_of(path)
    with explained(path, len(data)):
        try:
            with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                if keep_mode and path.exists():
                    os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def part_of(path: Path) -> Path:
    """Return the temporary name under which `path` is written."""
    return path.with_name(f".{path.name}.part")


def remove_parts(folder: Path) -> None:
    """Remove what a power cut left half written."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
