"""`scannerd run`, apart from the other commands: the daemon starts without loading what only they need."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from offload.logs.journal import start_logging
from scannerd import console
from scannerd.config import DEFAULT_PATH
from scannerd.service import serve

ConfigOption = Annotated[Path | None, typer.Option("--config", help=f"Settings; {DEFAULT_PATH} when it exists.")]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(config: ConfigOption = None) -> None:
    """Be the daemon: wait for the button until SIGTERM."""
    start_logging("scannerd")
    with console.explained():
        asyncio.run(serve(console.load_config(config), config or DEFAULT_PATH))
