"""`scripts/bench offload upload`: photos through a line that is cut every ~2 MB, and how soon the job starts.

The line is drivers/bench/radio_link, which counts every byte that the device sends. All traffic is on loopback.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from offload_stack import BenchFailed, Link, Running, ScanFiles, Stack, is_up, photo, wait_until
from rich.console import Console
from rich.table import Table

from offload.sync.link_file import read_link

GOALS = {"wire / payload": 1.03, "MB/s beside an uncut run": 0.4, "bytes re-sent": 0, "late_s": 2.0}
LIMIT_S = 900.0


@dataclass(frozen=True)
class Carried:
    """One run of a line."""

    line: str
    mb: float
    cuts: int
    wire_per_payload: float
    mb_s: float


@dataclass(frozen=True)
class Resent:
    """A sync that is killed and begins anew while the service has everything."""

    remembers: str
    photos: int
    photo_bytes_resent: int
    wire_bytes: int
    """With every question that it asks."""


@dataclass(frozen=True)
class Start:
    """From the last photo on disk to the job that runs."""

    photos: int
    apart_s: float
    line: str
    after_s: float
    transfer_s: float
    """Of one photo."""
    backlog_s: float
    """What the line cannot have carried before the last photo came, however good the program."""
    late_s: float
    """Beyond the greater of the two."""


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    wanted = options.only or ["cuts", "resent", "start"]
    found: dict[str, list[object]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="scannerd-upload-") as scratch:
            if "cuts" in wanted:
                found["cuts"] = [*cut_and_uncut(Path(scratch), options)]
            if "resent" in wanted:
                found["resent"] = [*resent(Path(scratch), options)]
            if "start" in wanted:
                found["start"] = [last_photo_to_job(Path(scratch), options)]
    except (BenchFailed, OSError, httpx.HTTPError) as error:
        print(f"scripts/bench offload upload: {error}", file=sys.stderr)
        return 1
    if options.json:
        rows = {name: [asdict(row) for row in rows] for name, rows in found.items()}  # type: ignore[call-overload]
        print(json.dumps({"goals": GOALS, **rows}, indent=2))
    else:
        for name, listed in found.items():
            Console().print(_table(name, listed))
    return 0


def cut_and_uncut(scratch: Path, options: argparse.Namespace) -> Sequence[Carried]:
    """The same photos over a cable, and over one that is cut."""
    rows = []
    for line, extra in (("uncut", ()), ("cut", ("--cut-bytes", str(options.cut_bytes)))):
        for run in range(options.runs):
            folder = scratch / f"{line}-{run}"
            folder.mkdir()
            with Stack(folder) as stack, stack.link("--seed", str(options.seed + run), *extra) as link:
                rows.append(_carry(line, stack, link, folder, options.photos, options.photo_mb))
    return rows


def _carry(line: str, stack: Stack, link: Link, folder: Path, photos: int, photo_mb: float) -> Carried:
    scan = ScanFiles(folder / "aside", "scan")
    for number in range(photos):
        scan.take(photo(int(photo_mb * 1e6), number))
    scans = folder / "scans"
    with stack.sync(scans, link.port) as sync:
        wait_until(lambda: is_up(scans) or sync.process.poll() is not None, "sync", LIMIT_S)
        began_s = time.monotonic()
        scan.folder = scan.folder.rename(scans / "scan")
        wait_until(scan.confirmed, f"{line}: all photos on the service", LIMIT_S)
        took_s = time.monotonic() - began_s
    passed, payload = link.end(), scan.payload_bytes
    ratio = passed["bytes_sent"] / payload
    return Carried(line, round(payload / 1e6), passed["cuts"], round(ratio, 4), round(payload / 1e6 / took_s, 1))


def resent(scratch: Path, options: argparse.Namespace) -> Sequence[Resent]:
    """Kill sync once the service has everything, and count what the next one sends."""
    folder, rows = scratch / "resent", []
    folder.mkdir()
    scans = folder / "scans"
    scan = ScanFiles(scans, "scan")
    for number in range(options.photos):
        scan.take(photo(int(options.photo_mb * 1e6), number))
    with Stack(folder) as stack:
        with stack.sync(scans, stack.port) as sync:
            wait_until(scan.confirmed, "all photos on the service", LIMIT_S)
            sync.process.kill()
        for remembers in (True, False):
            if not remembers:
                (scan.folder / "sync.json").unlink()
            (scans / ".sync" / "link.json").unlink()
            with stack.link() as link, stack.sync(scans, link.port) as sync:
                wait_until(lambda: _has_settled(scans, scan), "sync to know what is there", LIMIT_S)
                told = read_link(scans)
                sync.process.kill()
                bytes_resent = told.bytes_sent if told is not None else -1
                what = "sync.json" if remembers else "nothing"
                rows.append(Resent(what, options.photos, bytes_resent, link.end()["bytes_sent"]))
    return rows


def _has_settled(scans: Path, scan: ScanFiles) -> bool:
    told = read_link(scans)
    return told is not None and scan.confirmed() and told.bytes_left == 0


def last_photo_to_job(scratch: Path, options: argparse.Namespace) -> Start:
    """Take photos at a steady pace over a shop's WiFi, and ask the service itself when the job runs."""
    folder = scratch / "start"
    folder.mkdir()
    scans, count = folder / "scans", options.start_photos
    transfer_s = options.start_mb * 8 / options.rate_mbit_s
    with (
        Stack(folder) as stack,
        stack.worker() as worker,
        stack.link(
            "--link", options.link, "--rate-mbit-s", str(options.rate_mbit_s), "--seed", str(options.seed)
        ) as link,
        stack.sync(scans, link.port) as sync,
    ):
        wait_until(lambda: is_up(scans) and "working in slot" in worker.said(), "sync and worker", LIMIT_S)
        scan = ScanFiles(scans, "scan")
        began_s = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began_s + number * options.apart_s - time.monotonic()))
            scan.take(photo(int(options.start_mb * 1e6), number))
        scan.seal()
        last_s = time.monotonic()
        wait_until(lambda: _has_started(stack.port) or _ended(sync, worker), "the job to start", LIMIT_S)
        after_s = time.monotonic() - last_s
    backlog_s = max(0.0, count * transfer_s - (last_s - began_s))
    late_s = after_s - max(transfer_s, backlog_s)
    figures = (round(value, 2) for value in (after_s, transfer_s, backlog_s, late_s))
    return Start(count, options.apart_s, options.link, *figures)


def _has_started(port: int) -> bool:
    jobs = httpx.get(f"http://127.0.0.1:{port}/api/v1/jobs", timeout=30).json()
    return any(job["state"] != "queued" for job in jobs)


def _ended(*programs: Running) -> bool:
    for program in programs:
        if program.process.poll() is not None:
            raise BenchFailed(f"a program ended: {program.said()[-2000:]}")
    return False


def _table(name: str, rows: Sequence[object]) -> Table:
    table = Table(title=name)
    listed = [asdict(row) for row in rows]  # type: ignore[call-overload]
    for heading in listed[0]:
        table.add_column(heading.replace("_", " "), justify="right")
    for row in listed:
        table.add_row(*(str(value) for value in row.values()))
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench offload upload", description=__doc__)
    parser.add_argument("--only", action="append", choices=["cuts", "resent", "start"], help="may be given again")
    parser.add_argument("--photos", type=int, default=24, help="of the runs with and without cuts")
    parser.add_argument("--photo-mb", type=float, default=4.0)
    parser.add_argument("--cut-bytes", type=float, default=2e6, help="mean, from one cut to the next")
    parser.add_argument("--runs", type=int, default=3, help="of each line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--link", default="wire", help="of the run from photo to job")
    parser.add_argument("--rate-mbit-s", type=float, default=20.0, help="of that link")
    parser.add_argument("--start-photos", type=int, default=60)
    parser.add_argument("--start-mb", type=float, default=4.0)
    parser.add_argument("--apart-s", type=float, default=1.2)
    parser.add_argument("--json", action="store_true", help="the figures as one object")
    return parser
