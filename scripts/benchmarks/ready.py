"""`scripts/bench ready`: how soon the daemon says READY=1, from the start of its process, with the page's door open.

The daemon is `scannerd run` with the simulated hardware beneath its drivers, as systemd would start it: a socket in
NOTIFY_SOCKET hears it. What loading and installing the simulation takes is in the figures and is named; no device
spends it. Beside it, a Python that does nothing, since on a busy machine that takes longer, too.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

GOAL_S = 1.0
LIMIT_S = 60.0
OURS = ("scannerd", "drivers", "offload")
SHOWN_PACKAGES = 12
CONFIG = """
[store]
folder = "{folder}/store"
[web]
enabled = {web}
address = "127.0.0.1"
port = 0
socket = "{folder}/web.sock"
"""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class BenchFailed(RuntimeError):
    """The daemon did not become ready."""


@dataclass(frozen=True)
class Start:
    """One start, in seconds."""

    ready_s: float
    cpu_s: float
    """Spent until then, in hundredths."""
    simulation_s: float
    """Of `ready_s`: loading and installing the simulated hardware, with what of the daemon's own it loads first."""


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="scannerd-ready-") as scratch:
            figures = measure(Path(scratch), options.starts)
    except (BenchFailed, OSError) as error:
        print(f"scripts/bench ready: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        Console().print(_table(figures))
        largest = ", ".join(f"{name} {part:.0%}" for name, part in figures["imports"].items())
        print(f"of what importing takes: {largest}")
        print(f"load {figures['load_before']} before, {figures['load_after']} after")
    return 0


def measure(folder: Path, starts: int) -> dict[str, Any]:
    """Start with and without the page's door, in turns, and once more to see what imports take."""
    load_before = round(os.getloadavg()[0], 1)
    kinds = {"with the page's door": True, "without": False}
    found: dict[str, list[Start]] = {kind: [] for kind in kinds}
    bare_s = []
    for _ in range(starts):
        bare_s.append(_bare_python_s())
        for kind, web in kinds.items():
            found[kind].append(start(folder, web=web)[0])
    _, said = start(folder, web=True, more=("-X", "importtime"))
    return {
        "goal_s": GOAL_S,
        "starts": {kind: [asdict(one) for one in ones] for kind, ones in found.items()},
        "bare_python_s": bare_s,
        "imports": _shares(said),
        "load_before": load_before,
        "load_after": round(os.getloadavg()[0], 1),
    }


def start(folder: Path, *, web: bool, more: Sequence[str] = ()) -> tuple[Start, str]:
    """Start the daemon, wait for READY=1, end it; return also what it wrote. Raises BenchFailed."""
    config, address, log = folder / "config.toml", folder / "notify.sock", folder / "log"
    config.write_text(CONFIG.format(folder=folder, web=str(web).lower()))
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening, log.open("w+") as written:
        listening.bind(str(address))
        listening.settimeout(LIMIT_S)
        program = str(Path(__file__).with_name("ready_start.py"))
        began_s = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *more, program, str(config)],
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        try:
            _wait_for_ready(listening)
            ready_s, cpu_s = time.perf_counter() - began_s, _cpu_s(process.pid)
        except TimeoutError as error:
            process.kill()
            raise BenchFailed(f"no READY=1 in {LIMIT_S:.0f} s: {log.read_text()[-1500:]}") from error
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=LIMIT_S)
        written.seek(0)
        return Start(round(ready_s, 3), cpu_s, round(float(said.splitlines()[0]), 3)), written.read()


def _wait_for_ready(listening: socket.socket) -> None:
    while b"READY=1" not in listening.recv(4096).splitlines():
        pass


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _bare_python_s() -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return round(time.perf_counter() - began_s, 3)


def _shares(import_times: str) -> dict[str, float]:
    """Return which packages take how much of the time that importing takes, the largest first."""
    spent: Counter[str] = Counter()
    for own_us, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", import_times, re.MULTILINE):
        parts = name.split(".")
        spent[".".join(parts[:2]) if parts[0] in OURS else parts[0]] += int(own_us)
    whole = sum(spent.values()) or 1
    return {name: round(own / whole, 3) for name, own in spent.most_common(SHOWN_PACKAGES)}


def _table(figures: dict[str, Any]) -> Table:
    table = Table(title=f"process start to READY=1, goal ≤ {GOAL_S:.1f} s")
    for heading in ("", "starts", "least s", "median s", "most s", "CPU s", "of it the simulation, s"):
        table.add_column(heading, justify="right" if heading else "left")
    for kind, starts in figures["starts"].items():
        ready_s = [one["ready_s"] for one in starts]
        rest = (median(one[key] for one in starts) for key in ("cpu_s", "simulation_s"))
        table.add_row(kind, str(len(starts)), *_spread(ready_s), *(f"{value:.2f}" for value in rest))
    bare_s = figures["bare_python_s"]
    table.add_row("python -c pass", str(len(bare_s)), *_spread(bare_s), "", "")
    return table


def _spread(seconds: Sequence[float]) -> tuple[str, str, str]:
    return f"{min(seconds):.2f}", f"{median(seconds):.2f}", f"{max(seconds):.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench ready", description=__doc__)
    parser.add_argument("--starts", type=int, default=10, help="of each kind")
    parser.add_argument("--json", action="store_true", help="the figures as one object")
    return parser
