"""`offload sync`: carries scans to the service and models back, in a process of its own beside the daemon."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from offload.apikey import KeyProblem, read_key
from offload.logs.journal import start_logging
from offload.sync.client import ServiceClient
from offload.sync.patience import Patience
from offload.sync.watch import Watch

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class ScansUnusable(RuntimeError):
    """The folder of scans cannot be made or written to."""


@app.command()
def sync(
    scans: Annotated[Path, typer.Option(help="Folder of scans.")],
    url: Annotated[str, typer.Option(help="Address of the service, such as http://127.0.0.1:8750")],
    once: Annotated[bool, typer.Option("--once", help="Carry what is there now, then end.")] = False,
    give_up_s: Annotated[float, typer.Option(min=1, help="With --once: longest stretch of trouble, seconds.")] = 60.0,
) -> None:
    """Carry photos up while they are taken, and models back."""
    start_logging("offload-sync", line="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise typer.BadParameter(f"{url!r} is no address; write it like http://127.0.0.1:8750", param_hint="--url")
    try:
        key = read_key(os.environ)
        make_usable(scans)
    except (KeyProblem, ScansUnusable) as problem:
        print(f"offload sync: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem
    with (scans / ".sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            print(f"offload sync: another sync carries {scans}; stop that one first", file=sys.stderr)
            raise typer.Exit(1) from problem
        failed = asyncio.run(carry(scans, url, key, once, give_up_s))
    for scan, trouble in sorted(failed.items()):
        print(f"scan {scan}: {trouble}", file=sys.stderr)
    raise typer.Exit(1 if failed else 0)


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


async def carry(scans: Path, url: str, key: str | None, once: bool, give_up_s: float) -> dict[str, str]:
    """Run until done or told to stop; return the failed scans and why (with `once`; a stop is no failure)."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, me.cancel)
    client = ServiceClient(url, key)
    watch = Watch(scans, client, Patience(give_up_s if once else None))
    with contextlib.suppress(asyncio.CancelledError):
        await watch.run(once=once)
    await client.close()
    return watch.failed if once else {}


if __name__ == "__main__":
    app()
