"""One file of an export: a photo as it lies on the disk, or something made at the moment it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ExportedFile:
    """Its name within the export, with `/`, and where its bytes come from."""

    name: str
    source: Path | Callable[[], bytes]
    """A call may raise OSError, ExportFault."""


class ExportFault(RuntimeError):
    """A scan cannot be exported this way. The message says what is missing and what to do."""


def text_file(name: str, text: str) -> ExportedFile:
    """Return a small file of text."""
    data = text.encode()
    return ExportedFile(name, lambda: data)
