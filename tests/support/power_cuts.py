"""Cuts the power of a recorded run after every operation, in several ways, and judges what the store makes of it."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from disk_record import Disk, read_record
from lossless import whole_lines
from power_cut import (
    Dropped,
    Emptied,
    Fate,
    Scattered,
    SimulatedDisk,
    Tree,
    Zeroed,
    fingerprint,
    materialise,
    tree_of,
)
from store_after_cut import Promises, faults_after

STORY = Path(__file__).with_name("store_story.py")
REPOSITORY = STORY.parents[2]
SCATTERED = 3
"""So many chances each cut has besides the four plain fates."""
STORY_LIMIT_S = 120


@dataclass(frozen=True)
class Cut:
    """One state of the disk after a cut."""

    name: str
    """`after operation 17, zeroed`."""
    tree: Tree
    marks: tuple[str, ...]
    journals: dict[str, bytes]
    """What is sure to be in the scans' journals."""


@dataclass(frozen=True)
class Verdict:
    """What became of one cut."""

    name: str
    faults: tuple[str, ...]


def environment() -> dict[str, str]:
    """Return this process's, in which the repository and its test support can be imported."""
    paths = [str(REPOSITORY), str(STORY.parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}


def tell_story(disk: Disk) -> None:
    """Let the whole story of a store happen on a recorded disk."""
    command = [sys.executable, str(STORY), str(disk.root), str(disk.marks)]
    subprocess.run(command, env=environment() | disk.environment(), check=True, timeout=STORY_LIMIT_S)


def cuts_of(disk: Disk, simulated: SimulatedDisk, seed: int) -> Iterator[Cut]:
    """Yield every different state in which a cut of this record may leave the disk; `simulated` is how it began.

    Raises AssertionError where the record is not the whole truth.
    """
    seen = set[str]()
    number = -1
    for number, operation in enumerate(read_record(disk.record)):
        simulated.follow(operation)
        for name, fate in _fates(f"{seed} {number}"):
            tree = simulated.after(fate)
            mark = fingerprint(tree, simulated.marks)
            if mark not in seen:
                seen.add(mark)
                yield Cut(f"after operation {number}, {name}", tree, tuple(simulated.marks), _journals(simulated))
    assert number > 0, "nothing was recorded"
    assert simulated.after(Fate()) == tree_of(disk.root), "the record is not the whole truth"


def judged(cuts: list[Cut], whole: tuple[str, ...], scratch: Path, processes: int) -> Iterator[Verdict]:
    """Recover from each cut and judge the outcome."""
    judge = partial(_judge, whole=whole, scratch=scratch)
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        yield from pool.map(judge, cuts, chunksize=4)


def story_cuts(folder: Path, seed: int, most: int | None, processes: int) -> list[Verdict]:
    """Record the story, cut it everywhere (or at `most` cuts by chance), and return what became of each."""
    disk = Disk(folder / "disk", folder / "record", folder / "marks")
    disk.root.mkdir(parents=True)
    simulated = SimulatedDisk(disk.root)
    tell_story(disk)
    cuts = list(cuts_of(disk, simulated, seed))
    whole = cuts[-1].marks
    if most is not None and most < len(cuts):
        cuts = random.Random(seed).sample(cuts, most)
    return list(judged(cuts, whole, folder / "scratch", processes))


def _fates(seed: str) -> Iterator[tuple[str, Fate]]:
    yield from (("dropped", Dropped()), ("kept", Fate()), ("emptied", Emptied()), ("zeroed", Zeroed()))
    for number in range(SCATTERED):
        yield f"scattered {number}", Scattered(f"{seed} {number}")


def _journals(simulated: SimulatedDisk) -> dict[str, bytes]:
    found = {}
    for scan in simulated.durable_names("scans"):
        journal = simulated.durable(f"scans/{scan}/journal.jsonl")
        if journal is not None and not scan.startswith("."):
            found[scan] = whole_lines(journal)
    return found


def _judge(cut: Cut, whole: tuple[str, ...], scratch: Path) -> Verdict:
    root = scratch / str(os.getpid())
    shutil.rmtree(root, ignore_errors=True)
    materialise(cut.tree, root)
    try:
        faults = faults_after(root, Promises(cut.marks, whole), cut.journals)
    except Exception as error:  # noqa: BLE001 - whatever the store's code raises here is what the cut found.
        faults = [f"{type(error).__name__}: {error}"]
    shutil.rmtree(root, ignore_errors=True)
    return Verdict(cut.name, tuple(faults))
