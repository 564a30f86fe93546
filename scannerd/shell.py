"""What every command says and ends with. Loads nothing of the daemon: some commands have no time for that."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from drivers.protocols import DriverError
from scannerd.commands import CommandRefused
from scannerd.config import DEFAULT_PATH, Config
from scannerd.export.exported_file import ExportFault
from scannerd.settings.file import ConfigFaults, read_config
from scannerd.store.durable import StoreFault

ConfigOption = Annotated[Path | None, typer.Option("--config", help=f"Settings; {DEFAULT_PATH} when it exists.")]

FAILED, BAD_USAGE = 1, 2


def say(message: str) -> None:
    """Tell a person, on standard error."""
    typer.echo(message, err=True)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what can go wrong into one message and an exit code: 1 failed, 2 bad usage or configuration."""
    try:
        yield
    except ConfigFaults as error:
        say(str(error))
        raise typer.Exit(BAD_USAGE) from error
    except (CommandRefused, DriverError, ExportFault, StoreFault) as error:
        say(f"scannerd: {error}")
        raise typer.Exit(FAILED) from error


def load_config(path: Path | None) -> Config:
    """Read the file that was named, else the usual one, else take the defaults. Raises ConfigFaults."""
    if path is not None:
        return read_config(path)
    if DEFAULT_PATH.exists():
        return read_config(DEFAULT_PATH)
    say(f"{DEFAULT_PATH} does not exist; using the defaults")
    return Config()
