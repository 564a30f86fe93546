"""The power is cut beneath the store, after any of its writes, in any way that a file system may: nothing is lost.

`scripts/bench kills` runs all of them; here a part, chosen by chance from a seed.
"""

import shutil
from pathlib import Path

import pytest
from disk_record import Operation
from power_cut import Dropped, Emptied, Fate, Scattered, SimulatedDisk, Zeroed, materialise, tree_of
from power_cuts import story_cuts

needs_gcc = pytest.mark.skipif(
    shutil.which("gcc") is None, reason="NO POWER CUTS TRIED: the recorder beneath the store needs gcc"
)


@needs_gcc
@pytest.mark.slow
def test_no_cut_of_the_power_loses_anything(tmp_path: Path) -> None:
    verdicts = story_cuts(tmp_path, seed=4, most=250, processes=2)
    assert len(verdicts) == 250
    lost = [verdict for verdict in verdicts if verdict.faults]
    assert not lost, "\n".join(map(str, lost[:10]))


ROOT, FOLDER, FILE = 1, 2, 3


def operations(*lines: str) -> list[Operation]:
    """`W 3 0 photo`: kind, two numbers, and a name or what is written."""
    told = []
    for line in lines:
        kind, a, b, *rest = line.split(" ")
        text = rest[-1] if rest else ""
        c = int(rest[0]) if kind == "R" else len(text)
        told.append(Operation(kind, int(a), int(b), c, text, text.encode()))
    return told


def disk_after(folder: Path, *lines: str) -> SimulatedDisk:
    disk = SimulatedDisk(folder)
    disk._inodes[ROOT] = disk.root
    for operation in operations(*lines):
        disk.follow(operation)
    return disk


def test_what_was_not_fsynced_may_be_absent_empty_or_zeros(tmp_path: Path) -> None:
    disk = disk_after(tmp_path, f"C {FILE} {ROOT} a", f"W {FILE} 0 photo")
    assert disk.after(Dropped()) == {}
    assert disk.after(Emptied()) == {"a": b""}
    assert disk.after(Zeroed()) == {"a": bytes(5)}
    assert disk.after(Fate()) == {"a": b"photo"}
    assert len({str(disk.after(Scattered(str(seed)))) for seed in range(50)}) > 5


def test_a_files_fsync_does_not_keep_its_name_nor_a_folders_what_is_in_its_files(tmp_path: Path) -> None:
    disk = disk_after(tmp_path, f"C {FILE} {ROOT} a", f"W {FILE} 0 photo", f"F {FILE} 0")
    assert disk.after(Dropped()) == {}
    disk = disk_after(tmp_path, f"C {FILE} {ROOT} a", f"W {FILE} 0 photo", f"F {ROOT} 0")
    assert disk.after(Dropped()) == {"a": b""}


def test_a_rename_happens_whole_or_not_and_one_fsync_keeps_it(tmp_path: Path) -> None:
    begun = [f"M {FOLDER} {ROOT} in", f"C {FILE} {ROOT} a", f"F {ROOT} 0"]
    moved = [*begun, f"R {FILE} {ROOT} {FOLDER} a/b"]
    left = {tuple(disk_after(tmp_path, *moved).after(Scattered(str(seed)))) for seed in range(30)}
    assert left == {("a", "in"), ("in", "in/b")}
    for folder in (ROOT, FOLDER):
        assert list(disk_after(tmp_path, *moved, f"F {folder} 0").after(Dropped())) == ["in", "in/b"]


def test_what_is_on_the_disk_at_the_beginning_is_durable(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "plan").write_bytes(b"plan")
    tree = SimulatedDisk(tmp_path).after(Dropped())
    assert tree == tree_of(tmp_path) == {"scans": None, "scans/plan": b"plan"}
    materialise(tree, tmp_path / "again")
    assert tree_of(tmp_path / "again") == tree
