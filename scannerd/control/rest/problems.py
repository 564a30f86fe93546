"""Everything that is refused, as `application/problem+json` (RFC 9457)."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 10
"""So many faults of one request are named."""

BAD_REQUEST = (400, 408, 413, 415, 422)
"""What any request with a body can meet."""
ANY_REQUEST = (401, 403, 429)
"""What any request can meet at the gate."""

_MEANS = {
    400: "The request cannot be understood.",
    401: "No token, or one that is not known: pair first.",
    403: "Not allowed: a foreign page or name, or something for this device's own users only.",
    404: "There is no such thing.",
    405: "Not with this method.",
    408: "The request did not arrive in time.",
    409: "Refused: it makes no sense now. Nothing was changed.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    416: "The file has no such part.",
    422: "The request is not valid; `problems` names every fault.",
    429: "Too many requests; `Retry-After` says how many seconds to wait.",
    503: "It failed, or the scanner is busy with too many others; `detail` says why.",
    507: "The disk is full.",
}


class Problem(BaseModel):
    """Why not, for people and programs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Conflict",
                "status": 409,
                "detail": "busy: scan 20261122-101502 is capturing; wait for its end, or Cancel it",
                "command_id": "5f0c9a3e11d2b7aa",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """What was observed and what to do."""
    command_id: str | None = None
    problems: tuple[str, ...] | None = None


class Refused(HTTPException):
    """A request that is not carried out."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        problems: Sequence[str] | None = None,
        command_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.problem = Problem(
            title=_title(status),
            status=status,
            detail=detail,
            command_id=command_id,
            problems=tuple(problems) if problems is not None else None,
        )


def response_of(refused: HTTPException) -> Response:
    """Return the answer that says so."""
    status = refused.status_code
    problem = (
        refused.problem
        if isinstance(refused, Refused)
        else Problem(title=_title(status), status=status, detail=f"{refused.detail}")
    )
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, status, dict(refused.headers or {}), media_type=MEDIA_TYPE)


def busy(what: str, retry_after_s: int = 5) -> Refused:
    """Return the refusal of one more reader than there is room for."""
    return Refused(503, what, headers={"Retry-After": str(retry_after_s)})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these refusals, beside those that any request can meet."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _MEANS[status], "content": content} for status in sorted({*ANY_REQUEST, *statuses})
    }


def add_handlers(app: FastAPI) -> None:
    """Let every refusal and every fault of the app be told as a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return response_of(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault_of(fault) for fault in error.errors()[:MOST_FAULTS]]
    return response_of(Refused(422, "; ".join(faults), problems=faults))


async def _fault(request: Request, error: Exception) -> Response:
    LOG.error("%s %s: fault inside the daemon", request.method, request.url.path, exc_info=error)
    return response_of(Refused(500, f"fault inside the daemon: {type(error).__name__}; see its log"))


def _fault_of(fault: Any) -> str:
    where = ".".join(str(step) for step in fault["loc"])
    return f"{where}: {fault['msg']}"[:300]


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Problem"
