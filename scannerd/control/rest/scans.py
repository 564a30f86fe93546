"""Lists of scans, one scan, and its story."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from offload.wire.base import ScanId
from scannerd.board.scan_shown import ScanDetail, ScanOverview
from scannerd.board.state import Shown
from scannerd.control.rest.gate import API
from scannerd.control.rest.ids import ScanInPath
from scannerd.control.rest.problems import Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.rest.story import LogLine, story_of
from scannerd.control.scanner import Scanner
from scannerd.store.catalogue import Catalogue
from scannerd.store.durable import StoreFault
from scannerd.store.layout import TrashLayout
from scannerd.store.scans import ScanStore, ScanUnknown
from scannerd.store.trash import Trash
from scannerd.timing.chart import chart_of
from scannerd.timing.ink import Look
from scannerd.timing.record import NoTimes, timing_of

USUAL, MOST = 50, 200

_SVG_HEADERS = {
    "Cache-Control": "no-cache",
    # Its style is its own.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}},
    **documented(404, 422, 503),
}


class ScanList(Shown):
    """Scans, the newest first."""

    scans: tuple[ScanOverview, ...]


class ScanLog(Shown):
    """What happened to one scan."""

    lines: tuple[LogLine, ...] = Field(examples=[[{"at": "2026-11-22T10:15:02Z", "text": "begun", "level": "info"}]])


def scan_routes(scanner: Scanner) -> APIRouter:
    """Reading only; what changes a scan is a command."""
    router = APIRouter(prefix=API, tags=["scans"])
    shelf = ScanShelf(scanner)

    @router.get("/scans", operation_id="list_scans", response_model=ScanList, responses=documented(422))
    async def list_scans(
        limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
        before: Annotated[ScanId | None, Query(description="Only scans older than this one.")] = None,
        deleted: Annotated[bool, Query(description="Those in the trash, the latest deleted first.")] = False,
    ) -> Response:
        """The newest scans first."""
        running = scanner.running
        found = await scanner.reading.run(lambda: shelf.overviews(limit, before, deleted, running))
        return shown(ScanList(scans=tuple(found)))

    @router.get(
        "/scans/{scan_id}", operation_id="get_scan", response_model=ScanDetail, responses=documented(404, 422)
    )
    async def get_scan(scan_id: ScanInPath) -> Response:
        """One scan with its viewpoints."""
        running = scanner.running
        return shown(await scanner.reading.run(lambda: shelf.detail(scan_id, running)))

    @router.get(
        "/scans/{scan_id}/log",
        operation_id="get_scan_log",
        response_model=ScanLog,
        responses=documented(404, 422, 503),
    )
    async def get_log(scan_id: ScanInPath) -> Response:
        """What happened to it, told from its journal; the last 2000 lines."""
        return shown(await scanner.reading.run(lambda: shelf.log(scan_id)))

    @router.get(
        "/scans/{scan_id}/timing.svg",
        operation_id="get_scan_timing",
        response_class=Response,
        responses=_SVG,
    )
    async def get_timing(
        scan_id: ScanInPath,
        look: Annotated[Look, Query(description="Of the picture; auto is as the browser has it.")] = Look.AUTO,
    ) -> Response:
        """Where every millisecond went: one chart, also while it runs."""
        chart = await scanner.reading.run(lambda: shelf.timing_chart(scan_id, look))
        return Response(chart, 200, _SVG_HEADERS, "image/svg+xml")

    return router


class ScanShelf:
    """Reads files: only in the thread for that."""

    def __init__(self, scanner: Scanner) -> None:
        self._store = scanner.store
        self._scans = scanner.catalogue
        self._deleted = Catalogue(ScanStore(TrashLayout(scanner.store.layout.root)))

    def overviews(self, limit: int, before: str | None, deleted: bool, running: str | None) -> list[ScanOverview]:
        """Return some scans; one that goes away meanwhile is left out."""
        catalogue = self._deleted if deleted else self._scans
        names = Trash(self._store.layout).scan_ids() if deleted else self._store.scan_ids()[::-1]
        if before is not None:
            names = names[names.index(before) + 1 :] if before in names else []
        found: list[ScanOverview] = []
        for name in names:
            if len(found) == limit:
                break
            try:
                found += catalogue.overviews([name], running)
            except ScanUnknown:
                continue
        return found

    def detail(self, scan_id: str, running: str | None) -> ScanDetail:
        """Return one scan. Raises Refused."""
        try:
            return self._scans.detail(scan_id, running)
        except ScanUnknown as unknown:
            raise Refused(404, str(unknown)) from unknown

    def log(self, scan_id: str) -> ScanLog:
        """Return one scan's story. Raises Refused."""
        folder = self._store.layout.scan(scan_id)
        if not folder.path.is_dir():
            raise Refused(404, f"scan {scan_id}: is not here")
        try:
            return ScanLog(lines=tuple(story_of(folder.journal)))
        except StoreFault as fault:
            raise Refused(503, str(fault)) from fault

    def timing_chart(self, scan_id: str, look: Look) -> str:
        """Return the SVG. Raises Refused, also while there is nothing to draw."""
        folder = self._store.layout.scan(scan_id)
        if not folder.path.is_dir():
            raise Refused(404, f"scan {scan_id}: is not here")
        try:
            return chart_of(timing_of(folder), look)
        except NoTimes as nothing:
            raise Refused(404, str(nothing)) from nothing
        except StoreFault as fault:
            raise Refused(503, str(fault)) from fault
