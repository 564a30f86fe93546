"""The page: files that Vite built, served as they are; without them a few words that say how to build it."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from scannerd.control.rest.problems import Refused
from scannerd.worker_thread import WorkerThread

BUILT = Path(__file__).resolve().parent.parent / "web" / "built"

PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:; "
    "connect-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Own files only. model-viewer unpacks textures into blobs and its decoders are WebAssembly and workers; its shadow
roots bring style elements of their own."""

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED = {".br": "br", ".gz": "gzip"}
"""In the order in which they are preferred."""
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>scannerd</title>
<h1>scannerd</h1>
<p>The scanner runs; its page has not been built. Build it with <code>scripts/page</code>, then load this again.</p>
<p>For programs: <a href="api/v1/docs">what REST offers</a> (<a href="api/v1/openapi.json">OpenAPI</a>).</p>
</html>
"""


@dataclass(frozen=True)
class _Piece:
    """One file of the page."""

    path: Path
    media_type: str
    hashed: bool
    packed: dict[str, Path] = field(default_factory=dict)
    """Content encoding → file."""


class BuiltPage:
    """Every file of the page is known by name from the start: no path of a request ever reaches the disk."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._pieces = _pieces(folder)

    @property
    def is_there(self) -> bool:
        """Whether the page was built."""
        return "index.html" in self._pieces

    def find(self, name: str) -> _Piece | None:
        """Return one file; the empty name is the page itself."""
        return self._pieces.get(name or "index.html")


def page_routes(reading: WorkerThread, page: BuiltPage) -> APIRouter:
    """Everything that is not the API."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{name:path}", methods=["GET", "HEAD"])
    async def get_piece(request: Request, name: str) -> Response:
        if not page.is_there and name == "":
            headers = {"Content-Security-Policy": PAGE_POLICY}
            return Response(NOT_BUILT, headers=headers, media_type="text/html; charset=utf-8")
        piece = page.find(name)
        if piece is None:
            raise Refused(404, f"no page {name[:100]!r}")
        return await _served(request, piece, reading)

    return router


async def _served(request: Request, piece: _Piece, reading: WorkerThread) -> Response:
    path, encoding = _preferred(piece, request.headers.get("accept-encoding", ""))
    try:
        data = await reading.run(path.read_bytes)
    except OSError as error:
        raise Refused(503, f"{path.name}: cannot be read: {error.strerror}; build the page again") from error
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "public, max-age=31536000, immutable" if piece.hashed else "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(data, headers=headers, media_type=piece.media_type)


def _preferred(piece: _Piece, accepted: str) -> tuple[Path, str | None]:
    offers = {
        offer.partition(";")[0].strip()
        for offer in accepted.lower().split(",")
        if not re.search(r";\s*q=0(\.0*)?\s*$", offer)
    }
    for encoding, path in piece.packed.items():
        if encoding in offers:
            return path, encoding
    return piece.path, None


def _pieces(folder: Path) -> dict[str, _Piece]:
    if not folder.is_dir():
        return {}
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: _Piece(
            path,
            _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            _HASHED.search(path.name) is not None,
            {coding: files[name + suffix] for suffix, coding in _PACKED.items() if name + suffix in files},
        )
        for name, path in files.items()
        if path.suffix not in _PACKED
    }
