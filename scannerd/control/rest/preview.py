"""What the camera sees: one picture, or one after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from drivers.protocols import DriverError
from scannerd.config_camera import MOST_CAMERAS
from scannerd.control.rest.caller import IsWelcome, caller_of_request
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import Refused, busy, documented
from scannerd.control.rest.reply import HeldStream
from scannerd.control.scanner import Scanner
from scannerd.viewfinder import NoPicture, ViewfinderPicture

MOST_VIEWERS = 8
GAP_S = 0.2
"""Between two pictures to one viewer, at least."""
AGAIN_S = 1.0
"""After a look that showed nothing."""
BOUNDARY = "picture"

_EDGES = Query(description="Draw the edges that sharpness is judged by.")
_CAMERA = Query(ge=0, lt=MOST_CAMERAS, description="Which of several cameras; 0 is the first.")
_ONE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The browser has this picture already."},
    **documented(422, 503),
}
_MANY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"multipart/x-mixed-replace": {"schema": {"type": "string", "format": "binary"}}}},
    **documented(422, 503),
}


class Viewers:
    """All who look now. One that reads slowly sees fewer pictures."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._count = 0
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every stream at its next picture."""
        self._closing.set()

    async def one(self, edges: bool, newer_than: int | None, camera: int) -> ViewfinderPicture:
        """Return a picture. Raises Refused."""
        try:
            return await self._scanner.viewfinder.picture(edges=edges, newer_than=newer_than, camera=camera)
        except (NoPicture, DriverError) as fault:
            raise Refused(503, str(fault), headers={"Retry-After": "2"}) from fault

    def stream(self, edges: bool, camera: int, welcome: Callable[[], bool]) -> Response:
        """Return pictures without end, or until the viewer is `welcome` no more. Raises Refused."""
        if self._count >= MOST_VIEWERS:
            raise busy(f"{MOST_VIEWERS} others look already; use preview.jpg")
        self._count += 1
        media_type = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        pictures = self._pictures(edges, camera, welcome)
        return HeldStream(pictures, self._let_go, headers={"Cache-Control": "no-store"}, media_type=media_type)

    def _let_go(self) -> None:
        self._count -= 1

    async def _pictures(self, edges: bool, camera: int, welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
        seq = None
        yield f"--{BOUNDARY}\r\n".encode()
        while welcome() and not self._closing.is_set():
            try:
                picture = await self._scanner.viewfinder.picture(edges=edges, newer_than=seq, camera=camera)
            except (NoPicture, DriverError):
                await asyncio.sleep(AGAIN_S)
                continue
            if picture.seq != seq:
                seq = picture.seq
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
                # The next boundary at once: browsers show a part only when it has ended.
                yield head.encode() + picture.jpeg + f"\r\n--{BOUNDARY}\r\n".encode()
            await asyncio.sleep(GAP_S)


def preview_routes(scanner: Scanner, viewers: Viewers, is_welcome: IsWelcome) -> APIRouter:
    """The viewfinder."""
    router = APIRouter(prefix=API, tags=["preview"])

    @router.get("/preview.jpg", operation_id="get_preview", response_class=Response, responses=_ONE)
    async def get_preview(
        request: Request,
        edges: Annotated[bool, _EDGES] = False,
        newer_than: Annotated[
            int | None, Query(ge=0, description="X-Seq of a picture: wait for a newer one.")
        ] = None,
        camera: Annotated[int, _CAMERA] = 0,
    ) -> Response:
        """What a camera sees; while a scan runs, its latest photo."""
        picture = await viewers.one(edges, newer_than, camera)
        etag = f'"{scanner.board.boot}-{picture.seq}{"e" if edges else ""}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "X-Seq": str(picture.seq)}
        if picture.index is not None:
            headers["X-Index"] = str(picture.index)
        if picture.angle_deg is not None:
            headers["X-Angle-Deg"] = f"{picture.angle_deg:.2f}"
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(picture.jpeg, headers=headers, media_type="image/jpeg")

    @router.get("/preview", operation_id="get_preview_stream", response_class=Response, responses=_MANY)
    async def get_stream(
        request: Request, edges: Annotated[bool, _EDGES] = False, camera: Annotated[int, _CAMERA] = 0
    ) -> Response:
        """Pictures one after the other, for `<img>`."""
        caller = caller_of_request(request)
        return viewers.stream(edges, camera, lambda: is_welcome(caller))

    return router
