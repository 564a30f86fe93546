"""The command line of the doctor."""

import importlib
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offload.logs.journal import start_logging
from scannerd import shell
from scannerd.config import DEFAULT_PATH
from scannerd.doctor.checklist import CHECKLIST
from scannerd.doctor.patient import Patient, patient
from scannerd.doctor.rounds import Rounds, go_round
from scannerd.doctor.table import has_something_to_do, json_of, summary_of, table_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

FILE_WIDTH = 160
"""Of the table, in letters: a file or a pipe says nothing of its own width."""


@app.command()
def doctor(
    config: Annotated[Path | None, typer.Option("--config", help=f"Settings; {DEFAULT_PATH} when it exists.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object, for programs.")] = False,
    bench: Annotated[bool, typer.Option("--bench", help="Examine the simulated scanner.")] = False,
) -> None:
    """Examine this scanner and say what to do: a table of check, seen, expected, what to do. Exit 1 when there is."""
    start_logging("scannerd", logging.CRITICAL)
    with _examined(config, bench) as examined:
        rounds = go_round(examined, CHECKLIST)
        _show(rounds, as_json)
    code = shell.FAILED if has_something_to_do(rounds) else 0
    if rounds.hanging:
        # A thread that hangs in a driver would keep the process from ending.
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _examined(config: Path | None, bench: bool) -> AbstractContextManager[Patient]:
    if not bench:
        return nullcontext(patient(config, DEFAULT_PATH))
    try:
        module = importlib.import_module("scannerd.demo.doctor")
    except ModuleNotFoundError as error:
        shell.say(f"scannerd doctor --bench: {error.name} is missing; pip install 'scannerd[bench]'")
        raise typer.Exit(shell.FAILED) from error
    examined: AbstractContextManager[Patient] = module.patient_on_bench(config)
    return examined


def _show(rounds: Rounds, as_json: bool) -> None:
    if as_json:
        typer.echo(json_of(rounds))
        return
    screen = Console()
    if not screen.is_terminal:
        screen = Console(width=FILE_WIDTH)
    screen.print(table_of(rounds))
    screen.print(summary_of(rounds), highlight=False)
