"""What the API offers, as OpenAPI and on one plain page that needs no internet."""

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from scannerd import __version__
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import Problem

DESCRIPTION = """Everything that the button, the page and MQTT can do as well.

Pair first: `scannerd pair` on the device shows a code, and `POST /api/v1/pair` exchanges it for a token. Send it as
`Authorization: Bearer TOKEN`. Requests that change something have `Content-Type: application/json`, and should have
an `Idempotency-Key`: a repeat with the same key is answered as the first time and not done again."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an app, with how to show a token and what a refusal looks like."""
    document = get_openapi(title="scannerd", version=__version__, description=DESCRIPTION, routes=app.routes)
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "scannerd_token"},
    }
    document["security"] = [{"bearer": []}, {"cookie": []}]
    for path, item in document["paths"].items():
        if path in ("/api/v1/pair", "/healthz"):
            for operation in item.values():
                operation["security"] = []
    return document


def docs_routes(app: FastAPI) -> APIRouter:
    """For people and programs that write programs."""
    router = APIRouter(prefix=API, include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi() -> dict[str, Any]:
        return app.openapi()

    @router.get("/docs")
    async def docs() -> Response:
        return Response(_page(app.openapi()), media_type="text/html; charset=utf-8")

    return router


def _page(document: dict[str, Any]) -> str:
    rows = "\n".join(
        f"<tr><td>{method.upper()}<td><code>{escape(path)}</code><td>{escape(operation.get('description', ''))}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>scannerd REST</title>'
        f"<h1>scannerd {escape(document['info']['version'])} REST</h1><p>{escape(DESCRIPTION)}"
        '<p>Every field with its bounds and an example: <a href="openapi.json">openapi.json</a>.'
        f"<table>\n{rows}\n</table></html>"
    )
