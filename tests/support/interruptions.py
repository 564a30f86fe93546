"""Kills a scanning daemon, at every step of its journal and at random instants, and starts it until it is done."""

import contextlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disk_record import Disk
from lossless import faults_of_sealed, journal_of, places_not_as_planned, strays_in, whole_lines
from power_cut import SimulatedDisk, materialise
from power_cuts import Cut, Verdict, cuts_of, environment
from scan_to_the_end import KINDS, SCAN

from scannerd.store.layout import ScanFolder, StoreLayout

PROGRAM = Path(__file__).with_name("scan_to_the_end.py")
PLAIN = "plain"
MOST_KILLS_A_SCAN = 5
RUN_LIMIT_S = 120.0
MOST_RUNS = 30

WHILE_WAITING = "while it waits for a person"
LOOK_S = 0.02

Kill = str | float | None
"""When a process dies: at a disk operation (see `disk_recorder.c`), after so many seconds, in a pause, or never."""


@dataclass(frozen=True)
class Chain:
    """One scan: how each process that works on it ends; then others that end by themselves."""

    name: str
    kills: tuple[Kill, ...]
    kind: str = PLAIN


@dataclass(frozen=True)
class Outcome:
    """What became of one scan."""

    verdict: Verdict
    kills: int
    """Processes that were truly killed, and not done before."""


class Story:
    """One scan in one folder, begun and killed and gone on with."""

    def __init__(self, folder: Path, kind: str = PLAIN) -> None:
        folder.mkdir(parents=True)
        self._kind = kind
        self.disk = Disk(folder / "disk", folder / "record", folder / "marks")
        self.disk.root.mkdir()
        self.kills = 0
        self.faults: list[str] = []
        self._log = folder / "log"
        self._journal = b""
        self._plan: bytes | None = None

    @property
    def scan(self) -> ScanFolder:
        """Where the scan is."""
        return StoreLayout(self.disk.root).scan(SCAN)

    def run(self, kill: Kill = None, *, record: bool = False) -> bool:
        """Let one process work until it dies or is done; returns whether it was done."""
        at_operation = kill if isinstance(kill, str) and kill != WHILE_WAITING else None
        extra = self.disk.environment(at_operation) if record or at_operation else {}
        command = [sys.executable, str(PROGRAM), str(self.disk.root), self._kind, str(self.disk.marks)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, env=environment() | extra, stdout=log, stderr=log)
            try:
                code = self._wait(process, kill)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        if code == -9 and kill is not None:
            self.kills += 1
        elif code != 0:
            self.faults.append(f"a process ended with {code}: {self._log.read_text(errors='replace')[-800:]}")
        self._look()
        return code == 0

    def _wait(self, process: subprocess.Popen[bytes], kill: Kill) -> int:
        """Raises TimeoutExpired when the process should be killed, or hangs."""
        if kill != WHILE_WAITING:
            return process.wait(kill if isinstance(kill, float) else RUN_LIMIT_S)
        waited_before = self._waits()
        while self._waits() == waited_before:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_S)
        raise subprocess.TimeoutExpired(process.args, LOOK_S)

    def _waits(self) -> int:
        return self.disk.marks.read_bytes().count(b"paused") if self.disk.marks.exists() else 0

    def finish(self) -> None:
        """Start it until the scan is done, and judge what is there then."""
        if not self.run():
            self.faults.append("the last process was not done")
            return
        self.faults += faults_of_sealed(self.scan, KINDS[self._kind].photos) + strays_in(self.disk.root)
        self.faults += places_not_as_planned(self.scan)
        self.faults += _wishes_not_granted(journal_of(self.scan)) + _other_locks(journal_of(self.scan))

    def _look(self) -> None:
        """Whatever was in the journal, and the plan, stay there."""
        if not self.scan.plan.exists():
            if self._journal:
                self.faults.append("the scan is gone")
            return
        journal, plan = whole_lines(self.scan.journal.read_bytes()), self.scan.plan.read_bytes()
        if not journal.startswith(self._journal):
            self.faults.append("lines of the journal are gone")
        if self._plan not in (None, plan):
            self.faults.append("the plan was changed")
        self._journal, self._plan = journal, plan


def _wishes_not_granted(lines: list[dict[str, Any]]) -> list[str]:
    taken = {line["frame"]["index"]: number for number, line in enumerate(lines) if line["type"] == "frame"}
    wanted = {line["index"]: number for number, line in enumerate(lines) if line["type"] == "retake"}
    return [f"photo {index} was wanted again and not taken" for index in wanted if taken[index] < wanted[index]]


def _other_locks(lines: list[dict[str, Any]]) -> list[str]:
    locked = [line["settings"] for line in lines if line["type"] == "locked"]
    return [f"locked at {other}, and first at {locked[0]}" for other in locked[1:] if other != locked[0]]


def journal_chains(seed: int, kind: str = PLAIN) -> list[Chain]:
    """At each line of the journal: before it, half way through, after it; and the next process somewhere, too."""
    chance = random.Random(f"{seed} journal")
    return [
        Chain(f"{kind}, journal line {line}, {when}", (f"journal.jsonl:{line}:{when}", _somewhere(chance)), kind)
        for line in range(1, KINDS[kind].journal_lines + 1)
        for when in "bta"
    ]


def waiting_chains(seed: int, kind: str) -> list[Chain]:
    """In each pause and at each question of a kind of scan that has them; twice in the same one, too."""
    chance = random.Random(f"{seed} waiting")
    pauses = 3 if KINDS[kind].asks else 0
    before: list[tuple[Kill, ...]] = [tuple(_somewhere(chance) for _ in range(number)) for number in range(pauses)]
    return [
        Chain(f"{kind}, {number} kills, then waiting", (*kills, WHILE_WAITING, WHILE_WAITING), kind)
        for number, kills in enumerate(before)
    ]


def _somewhere(chance: random.Random) -> str:
    return f":{chance.randrange(1, 60)}:{chance.choice('bta')}"


def instant_chains(seed: int, count: int, run_s: float, kind: str = PLAIN) -> Iterator[Chain]:
    """Kills at random instants, several for each scan; `run_s` is what a whole scan takes in one process."""
    chance = random.Random(f"{seed} instants")
    for number in range(count):
        later = (chance.uniform(0.2, 0.7) for _ in range(MOST_KILLS_A_SCAN - 1))
        shares = (chance.uniform(0.2, 1.0), *later)
        yield Chain(f"{kind}, instants {number}", tuple(share * run_s for share in shares), kind)


def outcome_of(chain: Chain, scratch: Path) -> Outcome:
    """Kill one scan as the chain says, and finish it."""
    folder = scratch / chain.name.replace(" ", "-").replace(",", "")
    story = Story(folder, chain.kind)
    for kill in chain.kills:
        if story.run(kill):
            break
    story.finish()
    if not story.faults:
        shutil.rmtree(folder)
    return Outcome(Verdict(chain.name, tuple(story.faults)), story.kills)


def killed_at_journal_steps(
    scratch: Path,
    seed: int,
    processes: int,
    most: int | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Kill at every step of the journal, or at `most` of them by chance."""
    chains = journal_chains(seed)
    if most is not None:
        chains = random.Random(seed).sample(chains, most)
    return _all(chains, scratch, processes, tell)


def killed_at_instants(
    scratch: Path,
    seed: int,
    kills: int,
    processes: int,
    tell: Callable[[Outcome], None] = lambda _: None,
    kind: str = PLAIN,
) -> list[Outcome]:
    """Kill scans until so many processes were killed."""
    began_s = time.monotonic()
    story = Story(scratch / "whole", kind)
    story.finish()
    run_s = time.monotonic() - began_s
    outcomes: list[Outcome] = [Outcome(Verdict("not killed", tuple(story.faults)), 0)]
    chains = instant_chains(seed, kills, run_s, kind)
    while (left := kills - sum(outcome.kills for outcome in outcomes)) > 0:
        some = [chain for _, chain in zip(range(max(1, left // MOST_KILLS_A_SCAN)), chains, strict=False)]
        if not some:
            break
        outcomes += _all(some, scratch, processes, tell)
    return outcomes


def killed_in_stories(
    scratch: Path,
    seed: int,
    processes: int,
    kinds: Iterable[str],
    steps: int | None = None,
    instants: int = 0,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Kill scans of these kinds: at so many steps of the journal (None: all), in each pause, at random instants."""
    outcomes = []
    for kind in kinds:
        chains = journal_chains(seed, kind)
        if steps is not None:
            chains = random.Random(f"{seed} {kind}").sample(chains, min(steps, len(chains)))
        folder = scratch / kind.replace(" ", "-")
        outcomes += _all([*chains, *waiting_chains(seed, kind)], folder, processes, tell)
        if instants:
            outcomes += killed_at_instants(folder / "instants", seed, instants, processes, tell, kind)
    return outcomes


def _all(chains: Iterable[Chain], scratch: Path, processes: int, tell: Callable[[Outcome], None]) -> list[Outcome]:
    outcomes = []
    with ThreadPoolExecutor(processes) as pool:
        for outcome in pool.map(lambda chain: outcome_of(chain, scratch), chains):
            tell(outcome)
            outcomes.append(outcome)
    return outcomes


def daemon_cuts(
    scratch: Path, seed: int, most: int, processes: int, tell: Callable[[Verdict], None] = lambda _: None
) -> list[Verdict]:
    """Record a whole daemon's scan, cut its power at `most` instants by chance, and let a new daemon go on from each.

    Every fourth of those that go on is recorded and cut once more.
    """
    story = Story(scratch / "recorded")
    began = SimulatedDisk(story.disk.root)
    story.run(record=True)
    cuts = random.Random(seed).sample(list(cuts_of(story.disk, began, seed)), most)
    verdicts = [Verdict("not cut", tuple(story.faults))]
    with ThreadPoolExecutor(processes) as pool:
        for some in pool.map(
            lambda pair: _gone_on(pair[1], scratch / f"cut{pair[0]}", seed, pair[0] % 4 == 0), enumerate(cuts)
        ):
            for verdict in some:
                tell(verdict)
            verdicts += some
    return verdicts


def _gone_on(cut: Cut, folder: Path, seed: int, again: bool) -> list[Verdict]:
    story = Story(folder)
    shutil.rmtree(story.disk.root)
    materialise(cut.tree, story.disk.root)
    verdicts = []
    if again:
        began = SimulatedDisk(story.disk.root)
        story.run(record=True)
        second = random.Random(f"{seed} {cut.name}").choice(list(cuts_of(story.disk, began, seed)))
        name = f"{cut.name}; then {second.name}"
        verdicts += _gone_on(Cut(name, second.tree, second.marks, second.journals), folder / "again", seed, False)
    story.finish()
    journal = story.scan.journal.read_bytes() if story.scan.journal.exists() else b""
    if not journal.startswith(cut.journals.get(SCAN, b"")):
        story.faults.append("lines of the journal that were on the disk are gone")
    return [*verdicts, Verdict(cut.name, tuple(story.faults))]
