"""Answers that are not made by FastAPI: ready JSON, and streams that free what they hold."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse


def shown(value: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON, serialised once."""
    return Response(value.model_dump_json(), status, headers, media_type="application/json")


class HeldStream(StreamingResponse):
    """A stream that lets go of something when it ends, however it ends, begun or not."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        let_go: Callable[[], None],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(pieces, status_code, headers, media_type)
        self._let_go = let_go

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send until the end of the stream, of the connection or of the daemon."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._let_go()
