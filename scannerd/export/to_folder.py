"""An export written to a folder; photos are hard links where the disk allows it."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from scannerd.export.exported_file import ExportedFile, ExportFault


def write_export(files: Iterable[ExportedFile], folder: Path) -> int:
    """Write every file; return how many.

    Raises ExportFault when the folder holds something already or cannot be written; what was written stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ExportFault(f"{folder}: is not empty; name a new folder, so that two exports do not mix")
        count = 0
        for file in files:
            _write(file, folder / file.name)
            count += 1
    except OSError as error:
        raise ExportFault(f"{error.filename or folder}: {error.strerror}") from error
    return count


def _write(file: ExportedFile, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(file.source, Path):
        path.write_bytes(file.source())
        return
    try:
        os.link(file.source, path)
    except OSError:  # Another disk, or one without hard links.
        shutil.copyfile(file.source, path)
