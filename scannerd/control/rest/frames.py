"""Photos of a scan: one by one, small, all on one picture, all in one file."""

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from starlette.responses import Response

from scannerd.control.rest.files import FileWindow
from scannerd.control.rest.gate import API
from scannerd.control.rest.ids import IndexInPath, ScanInPath
from scannerd.control.rest.photos_zip import zip_stream
from scannerd.control.rest.problems import Refused, busy, documented
from scannerd.control.rest.reply import HeldStream
from scannerd.control.scanner import Scanner
from scannerd.export.exported_file import ExportedFile
from scannerd.store.catalogue import Catalogue
from scannerd.store.durable import StoreFault
from scannerd.store.layout import ScanFolder
from scannerd.store.thumbnails import whole_thumbnail


class FramePicture(StrEnum):
    """What lies beside a photo."""

    MASK = "mask"
    EDGES = "edges"


PictureInPath = Annotated[FramePicture, PathParameter(description="Which of them.")]

DAY_S = 86_400
MOST_ZIPS = 2

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The part that Range asked for.", "content": {"image/jpeg": {}}},
    304: {"description": "The browser has it already."},
    **documented(404, 416, 422, 503),
}
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The part that Range asked for.", "content": {"image/png": {}}},
    304: {"description": "The browser has it already."},
    **documented(404, 416, 422, 503),
}
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    **documented(404, 422, 503),
}


def frame_routes(scanner: Scanner, files: FileWindow) -> APIRouter:
    """The photos."""
    router = APIRouter(prefix=API, tags=["photos"])
    layout = scanner.store.layout
    zips = 0

    async def caching(folder: ScanFolder) -> str:
        """A sealed scan's photos never change, and its name is free again only when the trash is emptied."""
        days = scanner.config.store.trash_days
        if days > 0 and await scanner.reading.run(folder.manifest.exists):
            return f"max-age={days * DAY_S}, immutable"
        return "no-cache"

    @router.get(
        "/scans/{scan_id}/frames/{index}.jpg", operation_id="get_frame", response_class=Response, responses=_JPEG
    )
    async def frame(request: Request, scan_id: ScanInPath, index: IndexInPath) -> Response:
        """One photo as it was taken."""
        folder = layout.scan(scan_id)
        path = await scanner.reading.run(lambda: _photo(scanner.catalogue, folder, index))
        return await files.reply(request, path, caching=await caching(folder))

    @router.get(
        "/scans/{scan_id}/thumbnails/{index}.jpg",
        operation_id="get_thumbnail",
        response_class=Response,
        responses=_JPEG,
    )
    async def thumbnail(request: Request, scan_id: ScanInPath, index: IndexInPath) -> Response:
        """One photo, 320 pixels wide."""
        folder = layout.scan(scan_id)
        path = await scanner.reading.run(lambda: _thumbnail(scanner.catalogue, folder, index))
        return await files.reply(request, path, caching=await caching(folder))

    @router.get(
        "/scans/{scan_id}/frames/{index}.{picture}.png",
        operation_id="get_frame_picture",
        response_class=Response,
        responses=_PNG,
    )
    async def frame_picture(
        request: Request, scan_id: ScanInPath, index: IndexInPath, picture: PictureInPath
    ) -> Response:
        """What was found in one photo, as a picture of its shape: the object's mask, or the strength of its edges."""
        folder = layout.scan(scan_id)
        photo = await scanner.reading.run(lambda: _photo(scanner.catalogue, folder, index))
        return await files.reply(request, photo.with_suffix(f".{picture.value}.png"), caching=await caching(folder))

    @router.get(
        "/scans/{scan_id}/contact_sheet.jpg",
        operation_id="get_contact_sheet",
        response_class=Response,
        responses=_JPEG,
    )
    async def contact_sheet(request: Request, scan_id: ScanInPath) -> Response:
        """All thumbnails on one picture, once the scan is complete."""
        folder = layout.scan(scan_id)
        return await files.reply(request, folder.contact_sheet, caching=await caching(folder))

    @router.get("/scans/{scan_id}/photos.zip", operation_id="get_photos", response_class=Response, responses=_ZIP)
    async def photos(scan_id: ScanInPath) -> Response:
        """All photos and what is known of them, in one file."""
        nonlocal zips
        if zips >= MOST_ZIPS:
            raise busy(f"{MOST_ZIPS} photos.zip are on their way", 20)
        folder = layout.scan(scan_id)
        wanted = await scanner.reading.run(lambda: _files_of(scanner.catalogue, folder))
        zips += 1

        def let_go() -> None:
            nonlocal zips
            zips -= 1

        headers = {"Content-Disposition": f'attachment; filename="{scan_id}.zip"'}
        pieces = zip_stream(scanner.reading, wanted, scan_id)
        return HeldStream(pieces, let_go, 200, headers, "application/zip")

    return router


def _photo(catalogue: Catalogue, folder: ScanFolder, index: int) -> Path:
    """Return where the photo that counts lies, or would lie."""
    with contextlib.suppress(StoreFault):
        if (photo := catalogue.photo(folder.scan_id, index)) is not None:
            return folder.path / photo.name
    return folder.frame(index)


def _thumbnail(catalogue: Catalogue, folder: ScanFolder, index: int) -> Path:
    """Return where the small copy lies; it is made anew where a power cut took it."""
    with contextlib.suppress(StoreFault):
        if (photo := catalogue.photo(folder.scan_id, index)) is not None:
            return whole_thumbnail(folder, photo)
    return folder.thumbnail(index)


def _files_of(catalogue: Catalogue, folder: ScanFolder) -> list[ExportedFile]:
    """Raises Refused."""
    try:
        photos = catalogue.photos(folder.scan_id)
    except StoreFault:
        photos = []
    if not photos:
        raise Refused(404, f"scan {folder.scan_id}: has no photos here")
    more = (folder.plan, folder.manifest, *sorted(folder.path.glob("background*.jpg")))
    paths = [*(folder.path / photo.name for photo in photos), *(file for file in more if file.exists())]
    return [ExportedFile(path.name, path) for path in paths]
