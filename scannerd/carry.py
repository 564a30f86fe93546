"""`scannerd sync`: the settings' way into `offload sync`, which knows no settings file."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from offload.apikey import KEY_FILE_VARIABLE
from scannerd.config import Config
from scannerd.store.layout import StoreLayout


def sync_command(config: Config, once: bool = False) -> list[str] | None:
    """Return the program and its arguments; None when the settings name no service."""
    if config.offload.url is None:
        return None
    scans = StoreLayout(config.store.folder).scans
    command = [sys.executable, "-m", "offload", "sync", "--scans", str(scans), "--url", config.offload.url]
    command += ["--connections", str(config.offload.connections), "--rate-kb-s", str(config.offload.rate_kb_s)]
    if config.offload.quiet_hours is not None:
        command += ["--quiet", config.offload.quiet_hours]
    if config.offload.pause_on_metered:
        command.append("--pause-on-metered")
    if config.offload.ca_file is not None:
        command += ["--ca-file", str(config.offload.ca_file)]
    return [*command, "--once"] if once else command


def become(command: list[str], key_file: Path | None) -> NoReturn:
    """Turn this process into the command, so that whoever started it (systemd) sees one process and its signals.

    A key file that the environment names already stays.
    """
    environment = dict(os.environ)
    if key_file is not None:
        environment.setdefault(KEY_FILE_VARIABLE, str(key_file))
    os.execve(command[0], command, environment)
