"""One run of an engine on one photo set, measured from outside by the operating system."""

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EngineRun:
    """What the process cost. CPU seconds are those of all its threads and children."""

    cpu_s: float
    wall_s: float
    peak_rss_mb: float
    """Of the largest single process, 10⁶ bytes."""
    log: str


class EngineFailed(RuntimeError):
    """The engine ended with an error; the message holds the end of what it printed."""


def embedded_engine(photo_set: Path, out: Path) -> list[str]:
    """Return the command that the worker runs too."""
    return [sys.executable, "-m", "offload", "reconstruct-bundle", str(photo_set), "--out", str(out)]


def peer_engine(template: str, photo_set: Path, out: Path) -> list[str]:
    """Return a peer's command: `{set}` is the photo set, `{out}` where it writes `model.ply` (mat frame, mm)."""
    return [part.format(set=photo_set, out=out) for part in shlex.split(template)]


def run_engine(command: list[str], log_path: Path) -> EngineRun:
    """Run to the end. Raises EngineFailed."""
    started_s = time.monotonic()
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    said = log_path.read_text(errors="replace")
    if process.returncode:
        tail = "\n".join(said.splitlines()[-10:])
        raise EngineFailed(f"{shlex.join(command)} ended with {process.returncode}:\n{tail}")
    return EngineRun(
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - started_s,
        peak_rss_mb=usage.ru_maxrss * 1024 / 1e6,
        log=said,
    )
