"""`GET /events`: what happens, as it happens, to many who listen, some of them badly."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from scannerd.control.messages import EventMessage
from scannerd.control.rest.caller import IsWelcome, caller_of_request
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import busy, documented
from scannerd.control.rest.reply import HeldStream
from scannerd.control.scanner import Scanner
from scannerd.event_bus import Numbered, Subscription

LOG = logging.getLogger(__name__)

MOST_LISTENERS = 32
HEARTBEAT_S = 10.0
"""A comment at least so often, so that both sides notice when the other is gone."""
RETRY_MS = 2000

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events for as long as both sides want; `reset` says: read the state anew.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 9f31c2aa-17\nevent: frame_stored\ndata: {"seq":17,"at":"2026-11-22T10:15:02Z",'
                '"type":"frame_stored","data":{"scan_id":"mug","index":3}}\n\n',
            }
        },
    },
    **documented(422, 503),
}


class Listeners:
    """All who listen now. A listener costs at most its subscription's memory, however slowly it reads."""

    def __init__(self, scanner: Scanner, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._scanner = scanner
        self._heartbeat_s = heartbeat_s
        self._open: set[Subscription] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """End every stream now."""
        self._closed = True
        for subscription in list(self._open):
            subscription.close()

    def stream(self, last_id: str | None, welcome: Callable[[], bool] = lambda: True) -> Response:
        """Return a stream of events from now on, or from those on that followed `last_id`. Raises Refused.

        It ends when its reader is `welcome` no more.
        """
        if len(self._open) >= MOST_LISTENERS:
            raise busy(f"{MOST_LISTENERS} others listen to events already")
        after = self._known(last_id)
        subscription = self._scanner.events.subscribe(after)
        self._open.add(subscription)
        if self._closed:
            subscription.close()
        missed = last_id is not None and after is None
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return HeldStream(
            self._told(subscription, missed, welcome),
            lambda: self._let_go(subscription),
            headers=headers,
            media_type="text/event-stream",
        )

    def _known(self, last_id: str | None) -> int | None:
        """Return the number of an event after which none has been forgotten; None when there is no such thing."""
        boot, _, seq = (last_id or "").rpartition("-")
        if boot != self._scanner.board.boot or not seq.isdecimal() or len(seq) > 18:
            return None
        return int(seq) if self._scanner.events.remembers_since(int(seq)) else None

    def _let_go(self, subscription: Subscription) -> None:
        self._open.discard(subscription)
        subscription.close()

    async def _told(
        self, subscription: Subscription, missed: bool, welcome: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        if missed:
            yield self._reset()
        while welcome():
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    numbered = await subscription.next_numbered()
            except TimeoutError:
                yield b": nothing new\n\n"
                continue
            except StopAsyncIteration:
                return
            if subscription.dropped:
                LOG.info("rest: a listener that was %d events behind was cut off", subscription.dropped)
                return
            if welcome():
                yield self._encoded(numbered)

    def _encoded(self, numbered: Numbered) -> bytes:
        message = EventMessage.of(numbered)
        return f"id: {self._id(numbered.seq)}\nevent: {message.type}\ndata: {message.model_dump_json()}\n\n".encode()

    def _reset(self) -> bytes:
        seq, boot = self._scanner.events.seq, self._scanner.board.boot
        data = json.dumps({"boot": boot, "seq": seq})
        return f"id: {self._id(seq)}\nevent: reset\ndata: {data}\n\n".encode()

    def _id(self, seq: int) -> str:
        return f"{self._scanner.board.boot}-{seq}"


def event_routes(listeners: Listeners, is_welcome: IsWelcome) -> APIRouter:
    """Server-sent events; `is_welcome` says whether a caller may still read."""
    router = APIRouter(prefix=API, tags=["events"])

    @router.get("/events", operation_id="get_events", response_class=Response, responses=_STREAM)
    async def get_events(
        request: Request,
        last_event_id: Annotated[str | None, Header(max_length=60)] = None,
        after: Annotated[
            str | None, Query(max_length=60, description="As Last-Event-ID: `<boot>-<seq>` of a state or an event.")
        ] = None,
    ) -> Response:
        """What happens, as it happens. With Last-Event-ID, as browsers send it, what was missed first."""
        caller = caller_of_request(request)
        return listeners.stream(last_event_id or after, lambda: is_welcome(caller))

    return router
