"""Somebody else's web server, on loopback: it hands files out, redirects, hangs, refuses, and notes every call."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_LIMIT_S = 120.0


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What a path answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Until the server is closed, without a word."""
    announced_bytes: int | None = None
    """In Content-Length, if not what is sent."""


Answerer = Callable[[Call], Reply]


class LoopbackServer:
    """`answer` decides on every call; all of them are in `calls`."""

    def __init__(self, answer: Answerer) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        self._let_go = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, self.rfile.read(length))
                reply = outer.answer(call)
                outer.calls.append(call)
                if reply.hang:
                    outer._let_go.wait(HANG_LIMIT_S)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                size = len(reply.body) if reply.announced_bytes is None else reply.announced_bytes
                self.send_header("Content-Length", str(size))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = _serve  # noqa: N815 - http.server's own names

            def log_message(self, *_arguments: object) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            daemon_threads = False
            request_queue_size = 128

            def handle_error(self, *_arguments: object) -> None:
                """A caller that hangs up is what some tests want."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def answering(answer: Answerer | dict[str, Reply]) -> Iterator[LoopbackServer]:
    """Yield a server; with a table of paths, everything else is 404."""
    decide = answer if callable(answer) else lambda call: answer.get(call.path, Reply(404))
    server = LoopbackServer(decide)
    try:
        yield server
    finally:
        server.close()
