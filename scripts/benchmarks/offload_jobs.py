"""`scripts/bench offload jobs`: jobs accepted a second, and the API's answers beside uploads and a long queue.

Everything goes through HTTP on loopback, and every job that counts is durable. The queue is filled through the
database, as nobody would wait for ten thousand requests.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import numpy as np
from offload_stack import BenchFailed, ScanFiles, Stack, photo
from rich.console import Console
from rich.table import Table

from offload.depot.database import URL_VARIABLE, prepare_database
from offload.depot.folder import DataFolder
from offload.depot.new_job import NewJob, add_job
from offload.wire.bundle import Manifest

GOALS = {"jobs a second, SQLite": 100, "jobs a second, PostgreSQL": 200, "p99, ms": 50}
PHOTO_BYTES = 4_000_000
UPLOADS = 4


@dataclass(frozen=True)
class Figures:
    """Of one database."""

    database: str
    accepted_a_second: float
    queued: int
    answers: int
    p50_ms: float
    p99_ms: float
    uploaded_mb_s: float
    """Meanwhile."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        rows = [measure(url, options) for url in (None, *options.database)]
    except BenchFailed as failure:
        print(f"scripts/bench offload jobs: {failure}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"goals": GOALS, "databases": [asdict(row) for row in rows]}))
    else:
        Console().print(_table(rows))
    return 0


def measure(url: str | None, options: argparse.Namespace) -> Figures:
    """Start a service over this database (None: SQLite) and ask it."""
    with tempfile.TemporaryDirectory(prefix="scannerd-bench-") as scratch:
        folder = Path(scratch)
        with Stack(folder, {URL_VARIABLE: url} if url else None) as stack:
            base = f"http://127.0.0.1:{stack.port}/api/v1"
            manifest = _uploaded_scan(folder, base)
            rate = _accept(base, manifest, options.jobs, options.at_once)
            queued = _fill(folder, url, options.queue)
            with _uploads(base) as sent:
                began_s = time.monotonic()
                took_ms = _ask(base, options.seconds, options.per_second)
                uploaded_mb_s = sum(sent) / 1e6 / (time.monotonic() - began_s)
        p50_ms, p99_ms = np.percentile(took_ms, [50, 99])
        name = "PostgreSQL" if url else "SQLite"
        return Figures(name, rate, queued, len(took_ms), float(p50_ms), float(p99_ms), uploaded_mb_s)


def _uploaded_scan(folder: Path, base: str) -> Manifest:
    scan = ScanFiles(folder / "scans", "bench")
    contents = [photo(20_000, seed) for seed in range(3)]
    for content in contents:
        scan.take(content)
        _put(base, content)
    scan.seal()
    return Manifest.model_validate_json((scan.folder / "manifest.json").read_bytes())


def _put(base: str, content: bytes) -> None:
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(content))}
    answer = httpx.patch(f"{base}/blobs/{sha256(content).hexdigest()}", content=content, headers=headers, timeout=60)
    if answer.status_code not in (200, 201):
        raise BenchFailed(f"an upload was answered {answer.status_code}: {answer.text}")


def _accept(base: str, manifest: Manifest, jobs: int, at_once: int) -> float:
    """Return how many bundles became jobs a second."""
    bodies = [manifest.model_copy(update={"scan_id": f"bench-{number}"}).canonical_bytes() for number in range(jobs)]
    shares = [bodies[number::at_once] for number in range(at_once)]

    def send(share: list[bytes]) -> None:
        with httpx.Client(timeout=60, headers={"Content-Type": "application/json"}) as client:
            for body in share:
                answer = client.post(f"{base}/bundles", content=body)
                if answer.status_code != 201:
                    raise BenchFailed(f"a bundle was answered {answer.status_code}: {answer.text}")

    began_s = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(send, shares))
    return jobs / (time.monotonic() - began_s)


def _fill(folder: Path, url: str | None, count: int) -> int:
    engine = prepare_database(DataFolder(folder / "data"), url)
    with engine.begin() as connection:
        for number in range(count):
            add_job(connection, NewJob(job_id=f"bench{number:027d}", scan_id=f"queued-{number}"))
    engine.dispose()
    return count


@contextmanager
def _uploads(base: str) -> Iterator[list[int]]:
    """Upload photos over four connections until the block is left; the list gets the bytes of each."""
    stop, sent = threading.Event(), []

    def upload(number: int) -> None:
        seed = number
        while not stop.is_set():
            content = photo(PHOTO_BYTES, 1_000 + seed)
            _put(base, content)
            sent.append(len(content))
            seed += UPLOADS

    with ThreadPoolExecutor(UPLOADS) as pool:
        running = [pool.submit(upload, number) for number in range(UPLOADS)]
        try:
            yield sent
        finally:
            stop.set()
    for one in running:
        one.result()


def _ask(base: str, seconds: float, per_second: float) -> list[float]:
    """Return how long each answer took, in milliseconds, from when it was due: one that waits delays no other's."""
    paths = ("/jobs?limit=50", f"/jobs/bench{0:027d}", "/jobs?limit=50&state=queued")
    took_ms: list[float] = []
    began_s = time.monotonic()
    with httpx.Client(timeout=60) as client:
        for number in range(int(seconds * per_second)):
            due_s = began_s + number / per_second
            time.sleep(max(0.0, due_s - time.monotonic()))
            answer = client.get(base + paths[number % len(paths)])
            took_ms.append((time.monotonic() - due_s) * 1e3)
            if answer.status_code != 200:
                raise BenchFailed(f"{answer.url.path} was answered {answer.status_code}: {answer.text}")
    return took_ms


def _table(rows: Sequence[Figures]) -> Table:
    table = Table("database", "jobs accepted / s", "queued", "answers", "p50, ms", "p99, ms", "uploads, MB/s")
    for row in rows:
        figures = (row.accepted_a_second, row.p50_ms, row.p99_ms, row.uploaded_mb_s)
        rate, p50, p99, uploaded = (f"{figure:.0f}" if figure >= 10 else f"{figure:.1f}" for figure in figures)
        table.add_row(row.database, rate, str(row.queued), str(row.answers), p50, p99, uploaded)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scripts/bench offload jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=400, help="bundles to be accepted")
    parser.add_argument("--at-once", type=int, default=8, help="connections that send them")
    parser.add_argument("--queue", type=int, default=10_000, help="jobs that wait while the API is asked")
    parser.add_argument("--seconds", type=float, default=15, help="how long it is asked")
    parser.add_argument("--per-second", type=float, default=20, help="how often")
    parser.add_argument(
        "--database", action="append", default=[], metavar="URL", help="an empty PostgreSQL beside SQLite"
    )
    parser.add_argument("--json", action="store_true", help="print one object")
    return parser
