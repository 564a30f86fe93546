"""`offload sync`: carries scans to the service and models back, in a process of its own beside the daemon."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from offload.apikey import KeyProblem, read_key
from offload.logs.journal import start_logging
from offload.sync.client import CannotTrust, ServiceClient, trusted
from offload.sync.lanes import Lanes
from offload.sync.metered import MeteredWatch
from offload.sync.passage import Passage
from offload.sync.patience import Patience
from offload.sync.quiet_hours import QuietHours
from offload.sync.report import LinkReport
from offload.sync.watch import Watch
from offload.sync.way import Way

BYTES_PER_KB = 1000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class ScansUnusable(RuntimeError):
    """The folder of scans cannot be made or written to."""


@dataclass(frozen=True)
class Wishes:
    """How somebody wants it carried."""

    once: bool
    give_up_s: float
    connections: int
    rate_bytes_s: float | None
    quiet: QuietHours | None
    pause_on_metered: bool


@app.command()
def sync(
    scans: Annotated[Path, typer.Option(help="Folder of scans.")],
    url: Annotated[str, typer.Option(help="Address of the service, such as http://127.0.0.1:8750")],
    once: Annotated[bool, typer.Option("--once", help="Carry what is there now, then end.")] = False,
    give_up_s: Annotated[float, typer.Option(min=1, help="With --once: longest stretch of trouble, seconds.")] = 60.0,
    connections: Annotated[int, typer.Option(min=1, max=8, help="Files on their way at a time.")] = 4,
    rate_kb_s: Annotated[float, typer.Option(min=0, help="Most that is sent, KB/s; 0: no cap.")] = 0.0,
    quiet: Annotated[str, typer.Option(help="Nothing is carried then: 22:00-06:00, local time.")] = "",
    pause_on_metered: Annotated[bool, typer.Option(help="Wait while the connection costs by the byte.")] = False,
    ca_file: Annotated[Path | None, typer.Option(help="Who vouches for the service (PEM).")] = None,
) -> None:
    """Carry photos up while they are taken, and models back."""
    start_logging("offload-sync", line="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise typer.BadParameter(f"{url!r} is no address; write it like http://127.0.0.1:8750", param_hint="--url")
    wishes = Wishes(
        once, give_up_s, connections, rate_kb_s * BYTES_PER_KB or None, quiet_hours(quiet), pause_on_metered
    )
    try:
        key, verify = read_key(os.environ), trusted(ca_file)
        make_usable(scans)
    except (KeyProblem, CannotTrust, ScansUnusable) as problem:
        print(f"offload sync: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem
    passage = Passage(wishes.quiet, MeteredWatch() if pause_on_metered else None, give_up_s if once else None)
    with (scans / ".sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            print(f"offload sync: another sync carries {scans}; stop that one first", file=sys.stderr)
            raise typer.Exit(1) from problem

        def make_client() -> ServiceClient:
            return ServiceClient(
                url,
                key,
                connections=connections,
                rate_bytes_s=wishes.rate_bytes_s,
                passage=passage,
                verify=verify,
            )

        failed = asyncio.run(carry(scans, make_client, wishes))
    for scan, trouble in sorted(failed.items()):
        print(f"scan {scan}: {trouble}", file=sys.stderr)
    raise typer.Exit(1 if failed else 0)


def quiet_hours(told: str) -> QuietHours | None:
    """Return what `--quiet` says. Raises typer.BadParameter."""
    if not told:
        return None
    begin, _, end = told.partition("-")
    try:
        return QuietHours.parse(begin.strip(), end.strip())
    except ValueError as problem:
        raise typer.BadParameter(f"{told!r}: {problem}; write it like 22:00-06:00", param_hint="--quiet") from problem


def make_usable(scans: Path) -> None:
    """Make the folder unless it is there: the daemon may start later. Raises ScansUnusable."""
    try:
        scans.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScansUnusable(
            f"{scans}: cannot be made a folder: {error.strerror}; name the daemon's scans with --scans"
        ) from error
    if not os.access(scans, os.R_OK | os.W_OK | os.X_OK):
        raise ScansUnusable(f"{scans}: may not be written to by this user; run sync as the daemon's user")


async def carry(scans: Path, make_client: Callable[[], ServiceClient], wishes: Wishes) -> dict[str, str]:
    """Run until done or told to stop; return the failed scans and why (with `once`; a stop is no failure)."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, me.cancel)
    client = make_client()
    patience = Patience(wishes.give_up_s if wishes.once else None)
    way = Way(client, Lanes(wishes.connections), patience, LinkReport(scans, client))
    watch = Watch(scans, way)
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            metered = client.passage.metered
            looking = group.create_task(metered.run(), name="metered") if metered is not None else None
            if metered is not None:
                await metered.look()
            await watch.run(once=wishes.once)
            if looking is not None:
                looking.cancel()
    await client.close()
    way.report.close()
    return watch.failed if wishes.once else {}


if __name__ == "__main__":
    app()
