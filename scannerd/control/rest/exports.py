"""A scan as other programs read it, in one file."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from scannerd.control.rest.gate import API
from scannerd.control.rest.ids import ScanInPath
from scannerd.control.rest.photos_zip import zip_stream
from scannerd.control.rest.problems import Refused, busy, documented
from scannerd.control.rest.reply import HeldStream
from scannerd.control.scanner import Scanner
from scannerd.export.exported_file import ExportedFile, ExportFault
from scannerd.export.photo_set import photo_set
from scannerd.export.programs import Program, exported
from scannerd.store.durable import StoreFault
from scannerd.store.scans import ScanStore, ScanUnknown

MOST_EXPORTS = 2
"""At a time: each makes masks at full size."""

_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    **documented(404, 409, 422, 503),
}
ProgramInPath = Annotated[Program, Path(description="Whose convention the files follow.")]
RawInQuery = Annotated[bool, Query(description="The photos' raw files too, in `raw/`, where the scan has them.")]


def export_routes(scanner: Scanner) -> APIRouter:
    """Exports."""
    router = APIRouter(prefix=API, tags=["photos"])
    under_way = 0

    @router.get(
        "/scans/{scan_id}/export/{program}.zip", operation_id="export_scan", response_class=Response, responses=_ZIP
    )
    async def export(scan_id: ScanInPath, program: ProgramInPath, raw: RawInQuery = False) -> Response:
        """Photos, masks, lens and camera poses as one program wants them; docs/exports.md tells how to load them."""
        nonlocal under_way
        if under_way >= MOST_EXPORTS:
            raise busy(f"{MOST_EXPORTS} exports are on their way", 20)
        files = await scanner.reading.run(lambda: _files(scanner.store, scan_id, program, raw=raw))
        under_way += 1

        def let_go() -> None:
            nonlocal under_way
            under_way -= 1

        name = f"{scan_id}-{program.value}"
        headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
        return HeldStream(zip_stream(scanner.reading, files, name), let_go, 200, headers, "application/zip")

    return router


def _files(store: ScanStore, scan_id: str, program: Program, *, raw: bool) -> list[ExportedFile]:
    """Raises Refused."""
    try:
        return exported(photo_set(store, scan_id), program, raw=raw)
    except ScanUnknown as unknown:
        raise Refused(404, str(unknown)) from unknown
    except ExportFault as fault:
        raise Refused(409, str(fault)) from fault
    except StoreFault as fault:
        raise Refused(503, str(fault)) from fault
