"""`scannerd run`, apart from the other commands: the daemon starts without loading what only they need."""

import asyncio
import logging
import os
from pathlib import Path
from typing import NoReturn

import typer

from offload.logs.journal import start_logging
from scannerd import shell
from scannerd.config import DEFAULT_PATH, Config
from scannerd.process.serving import serve
from scannerd.shell import ConfigOption

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(config: ConfigOption = None) -> None:
    """Be the daemon: wait for the button until SIGTERM."""
    start_logging("scannerd")
    with shell.explained():
        asyncio.run(_be_daemon(shell.load_config(config), config or DEFAULT_PATH))


async def _be_daemon(config: Config, file: Path) -> NoReturn:
    await serve(config, file)
    # Everything is closed. A look-up of a broker's name that still waits in some thread must not keep the process up.
    logging.shutdown()
    os._exit(0)
