"""Starts mqtt_daemon.py, and ends it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


@contextmanager
def daemon(store: Path, settings: dict[str, Any], speed: float = 1.0) -> Iterator[subprocess.Popen[str]]:
    """Start a scanner as a process; it is killed at the end if it still runs."""
    command = [sys.executable, str(HERE / "mqtt_daemon.py"), str(store), json.dumps(settings), str(speed)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "up\n"
            yield child
        finally:
            child.kill()


def pulses_at_end(child: subprocess.Popen[str]) -> int:
    """End a scanner in order; return how many pulses its motor was given."""
    child.send_signal(signal.SIGTERM)
    rest, _ = child.communicate(timeout=60)
    return int(rest.split("pulses ")[1])
