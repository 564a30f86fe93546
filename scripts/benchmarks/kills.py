"""`scripts/bench kills`: a scanning daemon is killed, and the power cut beneath it; how often nothing was lost.

A kill ends the process with SIGKILL, at every step of its journal, at random instants and while it waits for a
person, and new processes go on from there. Scans of rings and sides, of brackets, and those that people add photos
to, want photos again of, and pause, are killed as well; each of their photos has to be from its place, and exposed as
planned. A cut stops the recorded disk after any operation and leaves what a journaling file system may leave: what
was not fsynced is absent, torn, zeros or there. Survived means that the scan ends with each viewpoint exactly once,
every hash right, no photo counted that is not on the disk, nothing left over, and no line of the journal gone.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from interruptions import (
    PLAIN,
    Outcome,
    daemon_cuts,
    killed_at_instants,
    killed_at_journal_steps,
    killed_in_stories,
)
from power_cuts import Verdict, story_cuts
from scan_to_the_end import KINDS

GOAL = 400


@dataclass(frozen=True)
class Row:
    """One way to interrupt."""

    what: str
    tried: int
    survived: int
    seconds: float
    faults: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Print how many interruptions were survived; 1 when one was not."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="scannerd-kills-") as folder:
        rows = _measure(options, Path(folder))
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _show(rows)
    return 1 if any(row.survived < row.tried for row in rows) else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench kills", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument("--seed", type=int, default=4, help="of every instant and every torn write")
    parser.add_argument("--kills", type=int, default=200, help="processes killed at random instants")
    parser.add_argument("--steps", type=int, help="of the journal to kill at; all when not given")
    parser.add_argument("--kind-steps", type=int, default=16, help="of the journal, in each kind of larger scan")
    parser.add_argument("--kind-kills", type=int, default=20, help="at random instants, in each kind of larger scan")
    parser.add_argument("--cuts", type=int, help="power cuts beneath the store; every one when not given")
    parser.add_argument("--daemon-cuts", type=int, default=40, help="power cuts beneath a whole daemon")
    parser.add_argument("--processes", type=int, default=2, help="scans at once")
    return parser.parse_args(argv)


def _measure(options: argparse.Namespace, folder: Path) -> list[Row]:
    seed, processes = options.seed, options.processes

    def at_steps() -> list[Outcome]:
        return killed_at_journal_steps(folder / "steps", seed, processes, options.steps)

    def at_instants() -> list[Outcome]:
        return killed_at_instants(folder / "instants", seed, options.kills, processes)

    def in_kind(kind: str) -> list[Outcome]:
        steps, kills = options.kind_steps, options.kind_kills
        return killed_in_stories(folder / "kinds", seed, processes, [kind], steps, kills)

    def in_store() -> list[Outcome]:
        return _each_once(story_cuts(folder / "story", seed, options.cuts, processes))

    def in_daemon() -> list[Outcome]:
        return _each_once(daemon_cuts(folder / "daemon", seed, options.daemon_cuts, processes)[1:])

    return [
        _row("killed at every step of the journal", at_steps),
        _row("killed at random instants", at_instants),
        *(_row(f"killed in a scan of {kind}", partial(in_kind, kind)) for kind in KINDS if kind != PLAIN),
        _row("power cut beneath the store", in_store),
        _row("power cut beneath a scanning daemon", in_daemon),
    ]


def _each_once(verdicts: list[Verdict]) -> list[Outcome]:
    return [Outcome(verdict, 1) for verdict in verdicts]


def _row(what: str, measure: Callable[[], list[Outcome]]) -> Row:
    began_s = time.monotonic()
    outcomes = measure()
    lost = [outcome for outcome in outcomes if outcome.verdict.faults]
    tried = sum(outcome.kills for outcome in outcomes)
    faults = tuple(f"{outcome.verdict.name}: {'; '.join(outcome.verdict.faults)}" for outcome in lost)
    # Of a scan that was killed several times nobody knows which kill it was: all of them count as not survived.
    survived = tried - sum(max(1, outcome.kills) for outcome in lost)
    return Row(what, tried, survived, round(time.monotonic() - began_s, 1), faults)


def _show(rows: list[Row]) -> None:
    table = Table(title="interruptions of a scan, and how many it survived with nothing lost")
    for heading, side in (("", "left"), ("tried", "right"), ("survived", "right"), ("s", "right")):
        table.add_column(heading, justify="left" if side == "left" else "right")
    for row in rows:
        table.add_row(row.what, str(row.tried), str(row.survived), f"{row.seconds:.0f}")
    tried, survived = sum(row.tried for row in rows), sum(row.survived for row in rows)
    table.add_section()
    table.add_row(f"all (goal: all of {GOAL} or more)", str(tried), str(survived), "")
    console = Console()
    console.print(table)
    for row in rows:
        for fault in row.faults:
            console.print(f"{row.what}: {fault}", markup=False)
