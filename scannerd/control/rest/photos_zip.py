"""All photos of a scan, or an export, in one ZIP made while it is sent: nothing is written, and little is held."""

import time
import zipfile
from collections.abc import AsyncIterator, Generator, Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, cast

from scannerd.export.exported_file import ExportedFile, ExportFault
from scannerd.worker_thread import WorkerThread

PIECE_BYTES = 256 * 1024


class _Pipe:
    """What ZipFile writes to; it cannot be rewound, so ZipFile puts each length behind its file."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Keep it until it is taken."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """There is nothing behind it."""

    def take(self) -> bytes:
        """Return what was written since."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data


def zip_pieces(files: Iterable[ExportedFile], folder: str) -> Generator[bytes, None, None]:
    """Return a ZIP of these files, stored as they are, piece by piece; files that are gone by then are left out."""
    pipe = _Pipe()
    with zipfile.ZipFile(cast(IO[bytes], pipe), "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            try:
                source, info = _opened(file, folder)
            except (OSError, ExportFault):
                continue
            with source, archive.open(info, "w") as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()


def _opened(file: ExportedFile, folder: str) -> tuple[IO[bytes], zipfile.ZipInfo]:
    """Raises OSError, ExportFault."""
    name = f"{folder}/{file.name}"
    if isinstance(file.source, Path):
        return file.source.open("rb"), zipfile.ZipInfo.from_file(file.source, name, strict_timestamps=False)
    return BytesIO(file.source()), zipfile.ZipInfo(name, time.localtime()[:6])


async def zip_stream(reading: WorkerThread, files: Iterable[ExportedFile], folder: str) -> AsyncIterator[bytes]:
    """Make the pieces in the thread for reading."""
    pieces = zip_pieces(files, folder)
    try:
        while (piece := await reading.run(lambda: next(pieces, None))) is not None:
            if piece:
                yield piece
    finally:
        pieces.close()
