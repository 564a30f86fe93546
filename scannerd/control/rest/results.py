"""The model that came back."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from scannerd.board.state import Shown
from scannerd.control.rest.files import FileHashes, FileWindow, media_type_of
from scannerd.control.rest.gate import API
from scannerd.control.rest.ids import FileInPath, ScanInPath
from scannerd.control.rest.problems import Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner
from scannerd.store.layout import ScanFolder
from scannerd.store.results import sync_state


class ResultFile(Shown):
    """One file."""

    name: str
    size_bytes: int
    sha256: str
    media_type: str


class ResultList(Shown):
    """All files of a model."""

    verified: bool
    """Every file that the service named is there and has its hash."""
    files: tuple[ResultFile, ...]


_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The part that Range asked for.", "content": {"*/*": {}}},
    304: {"description": "The browser has it already."},
    **documented(404, 416, 422, 503),
}


def result_routes(scanner: Scanner, files: FileWindow) -> APIRouter:
    """The files that the service made of a scan."""
    router = APIRouter(prefix=API, tags=["results"])
    layout = scanner.store.layout

    @router.get(
        "/scans/{scan_id}/results",
        operation_id="list_results",
        response_model=ResultList,
        responses=documented(404, 422, 503),
    )
    async def list_results(scan_id: ScanInPath) -> Response:
        """What came back, with hashes; 404 as long as nothing has."""
        return shown(await scanner.reading.run(lambda: results_shown(layout.scan(scan_id), files.hashes)))

    @router.get(
        "/scans/{scan_id}/results/{name:path}", operation_id="get_result", response_class=Response, responses=_FILE
    )
    async def get_result(request: Request, scan_id: ScanInPath, name: FileInPath) -> Response:
        """One file of the model."""
        return await files.reply(request, layout.scan(scan_id).results / name)

    return router


def results_shown(folder: ScanFolder, hashes: FileHashes) -> ResultList:
    """Read what is there and compare it with what was promised. Raises Refused."""
    if not folder.results.is_dir():
        raise Refused(404, f"scan {folder.scan_id}: has no model here yet")
    try:
        found = {
            str(path.relative_to(folder.results)): (path.stat().st_size, hashes.sha256(path))
            for path in sorted(folder.results.rglob("*"))
            if path.is_file()
        }
    except OSError as error:
        raise Refused(503, f"scan {folder.scan_id}: its model cannot be read: {error.strerror}") from error
    state = sync_state(folder)
    promised = state.job.results if state is not None and state.job is not None else ()
    kept = all(found.get(file.name, (0, ""))[1] == file.sha256 for file in promised)
    return ResultList(
        verified=bool(promised) and kept,
        files=tuple(
            ResultFile(name=name, size_bytes=size_bytes, sha256=sha256, media_type=media_type_of(name))
            for name, (size_bytes, sha256) in found.items()
        ),
    )
