"""A folder of results appears complete or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offload.engines.protocol import BadInput


def refuse_occupied(out: Path) -> None:
    """Raise BadInput where results cannot go, before any work is done."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out}: a file is there; name a folder that is new or empty")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out}: not empty, and nothing is overwritten; name a folder that is new or empty")


@contextmanager
def publish_into(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to write to; it takes `out`'s name at the end, or goes when anything is raised.

    Raises BadInput when `out` is already occupied.
    """
    refuse_occupied(out)
    draft = out.parent / f".{out.name}.draft-{os.getpid()}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise BadInput(
            f"{out.parent}: nothing can be written there: {error.strerror}; change that, or name another folder"
        ) from error
    try:
        yield draft
        for path in draft.iterdir():
            _flush(path)
        _flush(draft)
        # Renaming replaces an empty folder.
        draft.rename(out)
        _flush(out.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _flush(path: Path) -> None:
    """Make file or folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
