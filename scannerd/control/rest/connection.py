"""One HTTP connection that cannot be held open for nothing.

uvicorn itself gives a request any time to arrive: its keep-alive timer starts after the first answer and is stopped
by every byte. Here a request has a deadline from its first byte on (the first one from the connection's start), and
an answer that nobody reads has one as well. Nobody can hold more connections than some browsers need.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 15.0
"""From the first byte of a request to its last."""
UNREAD_S = 20.0
"""So long may an answer wait for its reader to take some of it."""
MOST_CONNECTIONS = 160
MOST_PER_ADDRESS = 64

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: 21\r\n\r\ntoo many connections\r\n"
)


class GuardedConnection(H11Protocol):
    """uvicorn's protocol with deadlines for those who send or read too slowly."""

    request_s = REQUEST_S
    unread_s = UNREAD_S

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._request_deadline: asyncio.TimerHandle | None = None
        self._unread_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many, else give the first request its deadline."""
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.write(_FULL)
            transport.close()
            return
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._stop_watching_request()
        self._stop_watching_reader()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a request that is not whole yet keeps the deadline that it has."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_request()

    def on_response_complete(self) -> None:
        """The next request may have begun already."""
        super().on_response_complete()
        self._watch_request()

    def pause_writing(self) -> None:
        """The reader is slower than the answer."""
        super().pause_writing()
        if self._unread_deadline is None:
            self._unread_deadline = self.loop.call_later(self.unread_s, self._give_up)

    def resume_writing(self) -> None:
        """The reader has taken most of it."""
        super().resume_writing()
        self._stop_watching_reader()

    def _watch_request(self) -> None:
        if self.transport.is_closing():
            return
        state = self.conn.their_state
        begun = state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))
        first = state is h11.IDLE and self.cycle is None
        if not begun and not first:
            self._stop_watching_request()
        elif self._request_deadline is None:
            self._request_deadline = self.loop.call_later(self.request_s, self._give_up)

    def _stop_watching_request(self) -> None:
        if self._request_deadline is not None:
            self._request_deadline.cancel()
            self._request_deadline = None

    def _stop_watching_reader(self) -> None:
        if self._unread_deadline is not None:
            self._unread_deadline.cancel()
            self._unread_deadline = None

    def _give_up(self) -> None:
        self.transport.abort()

    def _is_one_too_many(self) -> bool:
        if len(self.connections) > MOST_CONNECTIONS:
            return True
        if self.client is None:
            return False
        address = self.client[0]
        others = (getattr(other, "client", None) for other in self.connections)
        return len([client for client in others if client is not None and client[0] == address]) > MOST_PER_ADDRESS
