"""`/healthz` and `/metrics`, for those who watch many machines."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from scannerd.board.state import Shown
from scannerd.control.rest.metrics import MEDIA_TYPE, Metrics
from scannerd.control.rest.problems import Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner

ANSWERS_WITHIN_S = 2.0


class Healthy(Shown):
    """All is well."""

    status: str = "ok"


def health_routes(scanner: Scanner, metrics: Metrics) -> APIRouter:
    """Without the prefix of the API."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", operation_id="get_health", response_model=Healthy, responses=documented(503))
    async def get_health() -> Response:
        """200 when the desk takes commands and files can be read, else 503 with the reason."""
        reason = scanner.trouble
        if reason is None:
            try:
                async with asyncio.timeout(ANSWERS_WITHIN_S):
                    await scanner.reading.run(scanner.store.layout.scans.stat)
            except TimeoutError:
                reason = f"the store's disk did not answer in {ANSWERS_WITHIN_S:.0f} s"
            except OSError as error:
                reason = f"the store cannot be read: {error.strerror}"
        if reason is not None:
            raise Refused(503, reason)
        return shown(Healthy())

    @router.get(
        "/metrics",
        operation_id="get_metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
    )
    async def get_metrics() -> Response:
        """Figures for Prometheus."""
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    return router
