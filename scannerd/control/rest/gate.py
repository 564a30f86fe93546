"""What every request passes before a route sees it: name, pace, token, form and size."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser

from scannerd.control.rest.caller import CALLER_SCOPE, TRUSTED_SCOPE, Caller
from scannerd.control.rest.hosts import is_ours, own_names
from scannerd.control.rest.limits import Buckets, caller_of
from scannerd.control.rest.problems import Refused, response_of
from scannerd.control.rest.tokens import TokenBook
from scannerd.control.scanner import Scanner

LOG = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Count = Callable[[str, int], None]
"""Route and status of an answer."""

API = "/api/v1"
COOKIE = "scannerd_token"
LARGEST_BODY_BYTES = 64 * 1024
BODY_S = 10.0
"""A body that is not there by then never comes."""

WRONG_TOKENS_BURST, WRONG_TOKENS_PER_S = 20, 0.2

_READING = ("GET", "HEAD")
_OPEN = {("POST", f"{API}/pair"), ("GET", f"{API}/openapi.json"), ("GET", f"{API}/docs")}
_FOR_PAIRED = (f"{API}/tokens",)
"""Not shown to everybody, even where reading is free."""

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Pace:
    """What one address may ask for."""

    requests_burst: float = 800
    """A page that shows 720 thumbnails is let through."""
    requests_per_s: float = 100
    """A loop without a pause is slowed down."""
    changes_burst: float = 30
    changes_per_s: float = 5
    """Faster than any person, slower than an SD card would suffer from: each command is written down twice."""


class Gate:
    """ASGI in front of the app. Callers of the Unix socket are trusted; the form of what they send is not."""

    def __init__(self, app: App, scanner: Scanner, tokens: TokenBook, count: Count, pace: Pace) -> None:
        """`count` hears of every answer."""
        self._app = app
        self._count = count
        self._scanner = scanner
        self._tokens = tokens
        self._requests = Buckets(pace.requests_burst, pace.requests_per_s)
        self._changes = Buckets(pace.changes_burst, pace.changes_per_s)
        self._wrong_tokens = Buckets(WRONG_TOKENS_BURST, WRONG_TOKENS_PER_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            return
        scope = dict(scope)
        send = self._guarded(scope, send)
        try:
            scope[CALLER_SCOPE] = self._caller(scope)
            if scope["method"] not in _READING:
                receive = await _whole(scope, receive)
        except Refused as refused:
            await response_of(refused)(scope, receive, send)
            return
        except Exception:
            LOG.exception("rest: fault in the gate")
            await response_of(Refused(500, "fault inside the daemon; see its log"))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _guarded(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds what keeps browsers safe, and counts. The router writes into `scope`."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", _API_POLICY)
                headers.setdefault("Cache-Control", "no-store")
                self._count(getattr(scope.get("route"), "path", "none").removeprefix(API), message["status"])
            await send(message)

        return guarded

    def _caller(self, scope: Scope) -> Caller:
        """Raises Refused."""
        if scope.get(TRUSTED_SCOPE):
            return Caller(local=True)
        headers = Headers(scope=scope)
        self._require_own_name(headers)
        address = caller_of(scope["client"][0] if scope.get("client") else "")
        wait_s = self._requests.take(address)
        if wait_s > 0:
            raise _slow_down("too many requests", wait_s)
        caller = self._paired(scope, headers, address)
        if scope["method"] not in _READING and (wait_s := self._changes.take(address)) > 0:
            raise _slow_down("too many commands", wait_s)
        return caller

    def _require_own_name(self, headers: Headers) -> None:
        host = headers.get("host", "")
        config = self._scanner.config
        if not is_ours(host, own_names(config.web.address, config.device.slug)):
            raise Refused(
                403, f"this scanner is not called {host[:100]!r}; use its IP address, its host name or its name.local"
            )
        origin = headers.get("origin")
        if origin is not None and _host_of(origin) != host.lower():
            raise Refused(403, f"a page of {origin[:100]!r} may not command this scanner")

    def _paired(self, scope: Scope, headers: Headers, address: str) -> Caller:
        method, path = scope["method"], scope["path"]
        token = _token(headers)
        entry = self._tokens.find(token) if token is not None else None
        if entry is not None:
            return Caller(token_id=entry.token_id)
        if self._is_open(method, path):
            return Caller()
        if token is not None:
            wait_s = self._wrong_tokens.take(address)
            if wait_s > 0:
                raise _slow_down("too many wrong tokens from this address", wait_s)
        why = "this token is not known (any more)" if token is not None else "no token"
        detail = f"{why}; pair this device with the code that `scannerd pair` shows"
        raise Refused(401, detail, headers={"WWW-Authenticate": "Bearer"})

    def _is_open(self, method: str, path: str) -> bool:
        if not (path.startswith(f"{API}/") or path == "/metrics"):
            return True
        if (method, path) in _OPEN:
            return True
        may_look = method in _READING and self._scanner.config.web.read_without_token
        return may_look and not path.startswith(_FOR_PAIRED)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _token(headers: Headers) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def _slow_down(what: str, wait_s: float) -> Refused:
    return Refused(429, f"{what}; wait {wait_s:.1f} s", headers={"Retry-After": str(math.ceil(wait_s))})


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that hands out the whole body, which is here and of the right form. Raises Refused."""
    headers = Headers(scope=scope)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if scope["path"].startswith(f"{API}/") and kind != "application/json":
        raise Refused(415, f"Content-Type is {kind[:60] or 'missing'}; send application/json")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST_BODY_BYTES:
        raise _too_large(int(length))
    try:
        async with asyncio.timeout(BODY_S):
            body = await _read(receive)
    except TimeoutError:
        raise Refused(408, f"the body was not there after {BODY_S:.0f} s", headers={"Connection": "close"}) from None
    handed_out = False

    async def replay() -> Message:
        nonlocal handed_out
        if handed_out:
            return await receive()
        handed_out = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY_BYTES:
            raise _too_large(len(body))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _too_large(size_bytes: int) -> Refused:
    # Not closed: what is still on its way is read and thrown away until the request's deadline; else the answer would
    # be lost with the connection.
    return Refused(413, f"{size_bytes} bytes or more; at most {LARGEST_BODY_BYTES} are taken")
