"""Files that are either there, whole, after any power cut, or not there at all."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar

from scannerd.fault_kind import FaultKind

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StoreFault(RuntimeError):
    """The disk did not keep something. What was kept before stays."""

    kind: ClassVar[FaultKind] = FaultKind.DISK_FAULT


class StoreFull(StoreFault):
    """There is no space left, or a scan would need more than there is."""

    kind = FaultKind.DISK_FULL


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


@contextmanager
def placed_durably(path: Path, size_bytes: int, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Give a file to write `size_bytes` to; it is then fsynced and renamed to `path`, and the folder fsynced.

    `mode` is the file's from its first moment on, less what the umask takes. Raises StoreFault; then nothing changed.
    """
    temporary = part_of(path)
    with explained(path, size_bytes):
        try:
            with open(temporary, "w+b", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def write_durably(path: Path, data: bytes, *, keep_mode: bool = False, mode: int = 0o666) -> None:
    """Write a whole file as `placed_durably` does. Raises StoreFault; then nothing changed.

    With `keep_mode` the new file has the old one's permissions, and a link stays a link.
    """
    path = path.resolve() if keep_mode else path
    with placed_durably(path, len(data), mode) as file:
        if keep_mode and path.exists():
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
        file.write(data)


def write_group(files: Mapping[Path, bytes]) -> None:
    """Make several new files of one folder durable together, at the price of one fsync of the folder.

    Each is written aside, fsynced and renamed; only after the last one are all of them sure to be there, so whoever
    counts on them waits until this returns. Raises StoreFault; then none is there.
    """
    folder = next(iter(files)).parent
    with explained(folder / next(iter(files)).name, sum(map(len, files.values()))):
        try:
            for path, data in files.items():
                with part_of(path).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            for path in files:
                part_of(path).replace(path)
            fsync_folder(folder)
        except OSError:
            for path in files:
                part_of(path).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            raise


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, whose names outlive a power cut. Raises OSError."""
    missing = [path, *path.parents]
    missing = missing[: next(place for place, folder in enumerate(missing) if folder.exists())]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        fsync_folder(folder.parent)


def gone_of(path: Path) -> Path:
    """Return the name of a folder that is being removed."""
    return path.with_name(f".{path.name}.gone")


def remove_folder(path: Path) -> None:
    """Remove a folder and all that is in it: at once by name, so that nobody ever sees half of it. Raises OSError."""
    gone = path.rename(gone_of(path))
    fsync_folder(path.parent)
    shutil.rmtree(gone)


def remove_gone(folder: Path) -> None:
    """Finish what a power cut left of removed folders. Raises OSError."""
    for gone in folder.glob(gone_of(folder / "*").name):
        shutil.rmtree(gone)


def part_of(path: Path) -> Path:
    """Return the temporary name under which `path` is written."""
    return path.with_name(f".{path.name}.part")


def remove_parts(folder: Path) -> None:
    """Remove what a power cut left half written."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)
