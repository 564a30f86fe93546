"""`scripts/bench api`: how soon `GET /state` is answered, from another process, while a scan runs in real time.

The daemon is `scannerd bench`: production drivers on simulated hardware at the speed of real one, the renderer in a
process of its own. One client asks at a steady pace over one connection, as a page does; four more follow the events.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

START_LIMIT_S = 120.0
ANSWER_LIMIT_S = 10.0
GOAL_P99_MS = 50.0
READERS = 4


class BenchFailed(RuntimeError):
    """The daemon did not do what was asked of it."""


@dataclass(frozen=True)
class Row:
    """Latencies of one situation, in milliseconds."""

    situation: str
    requests: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    photos: int
    """Taken meanwhile."""
    load: float
    """Of the whole machine, processes that wanted a core in the last minute: the bench itself is about two."""


@dataclass(frozen=True)
class Server:
    """A daemon on the bench and a token for it."""

    host: str
    port: int
    token: str

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection, opened at the first request."""
        return http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_LIMIT_S)

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="scannerd-api-") as scratch, running(Path(scratch)) as server:
            rows = list(measure(server, options.seconds, options.per_second))
    except (BenchFailed, OSError, http.client.HTTPException) as error:
        print(f"scripts/bench api: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"goal_p99_ms": GOAL_P99_MS, "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        Console().print(_table(rows))
    return 0


def measure(server: Server, seconds: float, per_second: float) -> Iterator[Row]:
    """Idle first, then during a scan, then with readers of events beside it."""
    yield ask("idle", server, seconds, per_second)
    with readers(server, READERS):
        yield ask(f"idle, {READERS} SSE readers", server, seconds, per_second)
    _order(server, "/api/v1/scans", {"scan_id": "api-bench", "views": 720})
    _wait_for_photo(server)
    yield ask("scanning", server, seconds, per_second)
    with readers(server, READERS):
        yield ask(f"scanning, {READERS} SSE readers", server, seconds, per_second)
    _order(server, "/api/v1/scans/api-bench/cancel", {})


def ask(situation: str, server: Server, seconds: float, per_second: float) -> Row:
    """Ask for the state at a steady pace, and take the time until the whole answer is here."""
    connection, spent_ms = server.connection(), []
    before = _photos(server)
    began_s = time.perf_counter()
    while (due_s := began_s + len(spent_ms) / per_second) < began_s + seconds:
        time.sleep(max(0.0, due_s - time.perf_counter()))
        asked_s = time.perf_counter()
        connection.request("GET", "/api/v1/state", headers=server.headers)
        response = connection.getresponse()
        response.read()
        spent_ms.append((time.perf_counter() - asked_s) * 1e3)
        if response.status != 200:
            raise BenchFailed(f"GET /state: {response.status}")
    connection.close()
    spent_ms.sort()
    p50_ms, p99_ms = (spent_ms[min(len(spent_ms) - 1, int(part * len(spent_ms)))] for part in (0.5, 0.99))
    figures = (round(p50_ms, 2), round(p99_ms, 2), round(spent_ms[-1], 2))
    return Row(situation, len(spent_ms), *figures, photos=_photos(server) - before, load=round(os.getloadavg()[0], 1))


@contextmanager
def readers(server: Server, count: int) -> Iterator[None]:
    """Follow the events, each in a thread that only reads."""
    connections = [server.connection() for _ in range(count)]
    threads = []
    for connection in connections:
        connection.request("GET", "/api/v1/events", headers=server.headers)
        response = connection.getresponse()
        threads.append(threading.Thread(target=_drain, args=(response,), daemon=True))
        threads[-1].start()
    try:
        yield
    finally:
        for connection in connections:
            if connection.sock is not None:
                connection.sock.close()
            connection.close()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start the daemon on the bench, and pair with it."""
    config = folder / "config.toml"
    config.write_text(f'[web]\naddress = "127.0.0.1"\nport = 0\nsocket = "{folder}/scannerd.sock"\n')
    command = [sys.executable, "-m", "scannerd", "bench", "--config", str(config), "--store", str(folder / "store")]
    with (folder / "bench.log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", "0"], stdout=log, stderr=log, start_new_session=True)
    try:
        said = _wait_until_ready(process, folder / "bench.log")
        yield _paired(said)
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until_s:
        said = log.read_text(errors="replace")
        if "bench: ready" in said:
            return said
        if process.poll() is not None:
            raise BenchFailed(f"scannerd bench ended with {process.returncode}: {said[-2000:]}")
        time.sleep(0.1)  # bounded by the deadline above
    raise BenchFailed(f"scannerd bench was not ready after {START_LIMIT_S:.0f} s: {log.read_text()[-2000:]}")


def _paired(said: str) -> Server:
    page, code = re.search(r"the page is at (\S+)", said), re.search(r"pairing code (\d+)", said)
    if page is None or code is None:
        raise BenchFailed(f"scannerd bench told no page or no code: {said[-2000:]}")
    where = urlsplit(page[1])
    server = Server(str(where.hostname), int(where.port or 80), "")
    token = _order(server, "/api/v1/pair", {"code": code[1], "name": "bench"})["token"]
    return Server(server.host, server.port, token)


def _order(server: Server, path: str, body: object) -> Any:
    answer = _answer(server, "POST", path, json.dumps(body))
    if "status" in answer and answer["status"] not in ("accepted",):
        raise BenchFailed(f"POST {path}: {answer}")
    return answer


def _answer(server: Server, method: str, path: str, body: str | None = None) -> Any:
    connection = server.connection()
    connection.request(method, path, body, server.headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _photos(server: Server) -> int:
    scan = _answer(server, "GET", "/api/v1/state")["scan"]
    return int(scan["frames_done"]) if scan else 0


def _wait_for_photo(server: Server) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while _photos(server) == 0:
        if time.monotonic() > until_s:
            raise BenchFailed(f"no photo in {START_LIMIT_S:.0f} s")
        time.sleep(0.2)  # bounded by the deadline above


def _drain(response: http.client.HTTPResponse) -> None:
    try:
        while response.read1(65536):
            pass
    except (OSError, ValueError, AttributeError):
        return


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title=f"GET /api/v1/state, goal p99 ≤ {GOAL_P99_MS:.0f} ms")
    for heading in ("situation", "requests", "photos", "p50 ms", "p99 ms", "max ms", "load"):
        table.add_column(heading, justify="left" if heading == "situation" else "right")
    for row in rows:
        figures = (f"{row.p50_ms:.1f}", f"{row.p99_ms:.1f}", f"{row.max_ms:.1f}", f"{row.load:.1f}")
        table.add_row(row.situation, str(row.requests), str(row.photos), *figures)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=45.0, help="for each situation")
    parser.add_argument("--per-second", type=float, default=20.0, help="requests")
    parser.add_argument("--json", action="store_true", help="the figures as one object")
    return parser
