"""The mat for the platter, ready to print."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import documented
from scannerd.control.scanner import Scanner
from scannerd.mat import Paper
from scannerd.mat_print import mat_print

_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    **documented(422),
}


def mat_routes(scanner: Scanner) -> APIRouter:
    """What `scannerd mat` writes, for whoever has only the page."""
    router = APIRouter(prefix=API, tags=["calibration"])

    @router.get("/mat.pdf", operation_id="get_mat", response_class=Response, responses=_PDF)
    async def get_mat(
        paper: Annotated[Paper, Query(description="What the printer holds; the larger the better.")] = Paper.A4,
    ) -> Response:
        """The largest good mat for this paper, at true scale."""
        pdf = await scanner.reading.run(lambda: mat_print(paper))
        headers = {"Content-Disposition": f'inline; filename="mat-{paper}.pdf"', "Cache-Control": "max-age=86400"}
        return Response(pdf, headers=headers, media_type="application/pdf")

    return router
