"""The command line of the bench."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from offload.logs.journal import start_logging
from scannerd import shell
from scannerd.demo.bench import run_bench
from scannerd.demo.bench_options import BenchOptions
from scannerd.demo.outside_faults import FOR_PEOPLE, in_words
from scannerd.demo.turntables import turntable_named
from scannerd.settings.file import ConfigFaults

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
INTERRUPTED = 130


@app.command()
def bench(
    config: Annotated[Path | None, typer.Option("--config", help="Settings; the defaults when left out.")] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder for everything; default: the one in --config, else out/bench.")
    ] = None,
    mesh: Annotated[
        Path | None, typer.Option("--object", help="OBJ, PLY, GLB or STL to scan; default: the project's own object.")
    ] = None,
    views: Annotated[int | None, typer.Option(help="Photos in one turn.")] = None,
    width_px: Annotated[int | None, typer.Option("--width-px", help="Of the photos.")] = None,
    height_px: Annotated[int | None, typer.Option("--height-px", help="Of the photos.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=50, help="How much faster the bench's clock runs.")] = 1.0,
    service: Annotated[bool, typer.Option("--service", help="Make models of the scans, too.")] = False,
    port: Annotated[int | None, typer.Option(help="Of the page; 0: any that is free.")] = None,
    background: Annotated[bool, typer.Option(help="Photograph the empty table first, once a store.")] = True,
    hand: Annotated[
        Path | None, typer.Option(help="Socket through which a hand reaches in; default: hand.sock in the store.")
    ] = None,
    object_kg: Annotated[float, typer.Option(min=0, max=100, help="Weight of what stands on the platter.")] = 0.0,
    turntable: Annotated[
        str | None,
        typer.Option(help="What turns the platter: gpio, grbl, marlin or table; default: as --config says."),
    ] = None,
) -> None:
    """Be the daemon on the simulated bench, with every front door, until Ctrl-C or SIGTERM."""
    options = BenchOptions(
        config,
        store,
        mesh,
        views,
        width_px,
        height_px,
        speed,
        service,
        background,
        port,
        hand,
        object_kg,
        turntable_named(turntable),
    )
    start_logging("scannerd")
    try:
        asyncio.run(_run(options))
    except ConfigFaults as error:
        shell.say(str(error))
        raise typer.Exit(shell.BAD_USAGE) from error
    except FOR_PEOPLE as error:
        shell.say(f"scannerd bench: {in_words(error)}")
        raise typer.Exit(shell.FAILED) from error
    except (KeyboardInterrupt, asyncio.CancelledError) as stop:
        # Before the daemon listened to signals itself.
        raise typer.Exit(INTERRUPTED) from stop


async def _run(options: BenchOptions) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await run_bench(options)
    except* FOR_PEOPLE as group:
        # One thing went wrong; whatever else is in the group fell with it.
        raise _first(group) from None


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
