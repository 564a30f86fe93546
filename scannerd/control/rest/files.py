"""A file of the store over HTTP: ETag, parts of it, and never read in the event loop."""

import os
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response

from scannerd.control.rest.problems import Refused
from scannerd.control.rest.reply import HeldStream
from scannerd.store.hashing import sha256_of_file
from scannerd.worker_thread import WorkerThread

PIECE_BYTES = 256 * 1024
REMEMBERED_HASHES = 4096
MOST_DOWNLOADS = 24
"""So many files are on their way at a time."""

MEDIA_TYPES = {
    ".glb": "model/gltf-binary",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".obj": "model/obj",
    ".pdf": "application/pdf",
    ".ply": "application/octet-stream",
    ".png": "image/png",
    ".stl": "model/stl",
    ".txt": "text/plain; charset=utf-8",
}


def media_type_of(name: str) -> str:
    """Return what a file of this name is; nothing that a browser would run."""
    return MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


class FileHashes:
    """Remembers the SHA-256 of files for as long as they do not change. Reads files."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, int, int], str] = OrderedDict()

    def sha256(self, path: Path) -> str:
        """Return the hexadecimal digest. Raises OSError."""
        status = path.stat()
        stamp = (str(path), status.st_ino, status.st_mtime_ns, status.st_size)
        digest = self._known.get(stamp)
        if digest is None:
            digest = self._known[stamp] = sha256_of_file(path)
            while len(self._known) > REMEMBERED_HASHES:
                self._known.popitem(last=False)
        self._known.move_to_end(stamp)
        return digest


@dataclass(frozen=True)
class _Part:
    start: int
    end: int
    """The first byte that does not belong to it."""


class FileWindow:
    """Hands out files, in pieces that the thread for reading fetches."""

    def __init__(self, reading: WorkerThread, hashes: FileHashes) -> None:
        self._reading = reading
        self.hashes = hashes
        self._under_way = 0

    async def reply(
        self, request: Request, path: Path, *, caching: str = "no-cache", download_as: str | None = None
    ) -> Response:
        """Return the file, a part of it, or that the browser has it already. Raises Refused."""
        if self._under_way >= MOST_DOWNLOADS:
            raise Refused(503, f"{MOST_DOWNLOADS} downloads are under way", headers={"Retry-After": "2"})
        file, sha256 = await self._reading.run(lambda: self._opened(path))
        size_bytes = os.fstat(file.fileno()).st_size
        headers = {"ETag": f'"{sha256}"', "Cache-Control": f"private, {caching}", "Accept-Ranges": "bytes"}
        if download_as is not None:
            headers["Content-Disposition"] = f'attachment; filename="{download_as}"'
        if _has_it(request.headers.get("if-none-match"), sha256):
            file.close()
            return Response(status_code=304, headers=headers)
        try:
            part = _part(request, sha256, size_bytes)
        except Refused:
            file.close()
            raise
        status = 200 if part is None else 206
        part = part or _Part(0, size_bytes)
        headers["Content-Length"] = str(part.end - part.start)
        if status == 206:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size_bytes}"
        self._under_way += 1
        return HeldStream(
            self._pieces(file, part), lambda: self._let_go(file), status, headers, media_type_of(path.name)
        )

    def _opened(self, path: Path) -> tuple[BinaryIO, str]:
        try:
            digest = self.hashes.sha256(path)
            return path.open("rb"), digest
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Refused(404, f"{path.name}: is not here (yet)") from None
        except OSError as error:
            raise Refused(503, f"{path.name}: cannot be read: {error.strerror}") from error

    async def _pieces(self, file: BinaryIO, part: _Part) -> AsyncIterator[bytes]:
        at = part.start
        while at < part.end:
            wanted = min(PIECE_BYTES, part.end - at)
            piece = await self._reading.run(lambda: os.pread(file.fileno(), wanted, at))  # noqa: B023
            if not piece:
                return
            at += len(piece)
            yield piece

    def _let_go(self, file: BinaryIO) -> None:
        self._under_way -= 1
        file.close()


def _has_it(if_none_match: str | None, sha256: str) -> bool:
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    return sha256 in tags or "*" in tags


def _part(request: Request, sha256: str, size_bytes: int) -> _Part | None:
    """Return the part that was asked for; None: the whole. Several parts at once are answered with the whole."""
    wanted = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", request.headers.get("range", "").strip())
    if wanted is None or wanted[1] == wanted[2] == "":
        return None
    if request.headers.get("if-range", f'"{sha256}"') != f'"{sha256}"':
        return None
    first, last = wanted.groups()
    if first == "":
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
    if start >= end:
        raise Refused(416, f"the file has {size_bytes} bytes", headers={"Content-Range": f"bytes */{size_bytes}"})
    return _Part(start, end)
