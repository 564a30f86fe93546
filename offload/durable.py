"""Files that are there after a power cut: written aside, fsynced, renamed, and the folder fsynced too."""

import hashlib
import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make the names in this folder durable; a rename is not, until its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_file(path: Path) -> None:
    """Make the contents of a file durable that somebody else has written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(folder: Path) -> None:
    """Make a folder and everything below it durable, deepest first."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            fsync_file(Path(root, name))
        fsync_folder(Path(root))


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Give `path` this content at once: a reader sees the old file or the new one, never half of it.

    Without `durable` a power cut may bring the old content back; right for what only tells of progress.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with aside.open("wb") as stream:
        stream.write(content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    aside.replace(path)
    if durable:
        fsync_folder(path.parent)


def publish(prepared: Path, target: Path) -> None:
    """Rename a prepared file or folder to its final name and make the name durable.

    The contents must be durable already. The target must not be a folder with something in it.
    """
    prepared.rename(target)
    fsync_folder(target.parent)
    if prepared.parent != target.parent:
        fsync_folder(prepared.parent)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
