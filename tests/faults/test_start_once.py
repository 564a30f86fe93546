"""Two starts at once, and the daemon killed between beginning and answering: never two scans, never a lost one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from disk_record import Disk
from lossless import faults_of_sealed
from power_cuts import environment
from start_twice import VIEWS

from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "start_twice.py"
LIMIT_S = 60.0


def start(disk: Disk, *options: str, kill: str | None = None) -> list[tuple[str, str | None, bool]]:
    """Return the answers that were given before the end, which comes by itself or by a kill."""
    extra = disk.environment(kill) if kill else {}
    command = [sys.executable, str(PROGRAM), str(disk.root), *options]
    done = subprocess.run(
        command, env=environment() | extra, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode in (0, -9 if kill else 0), done.stderr
    return [tuple(answer) for line in done.stdout.splitlines() for answer in json.loads(line)]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    root = tmp_path / "disk"
    root.mkdir()
    return Disk(root, tmp_path / "record", tmp_path / "marks")


def scans_of(disk: Disk) -> list[str]:
    return ScanStore(StoreLayout(disk.root)).scan_ids()


def test_two_starts_at_once_give_one_scan_and_the_same_one_the_same_answer(disk: Disk) -> None:
    (anna, scan_id, _), (ben, _, _), again = start(disk)
    assert sorted([anna, ben]) == ["accepted", "refused"]
    assert again[:2] == (anna, scan_id)
    assert len(scans_of(disk)) == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="NO KILLS TRIED: the recorder beneath the daemon needs gcc")
@pytest.mark.parametrize("when", ["b", "t", "a"])
@pytest.mark.parametrize(
    "where", ["journal.jsonl:4", "commands.jsonl:3", "commands.jsonl:4", "commands.jsonl:5", "journal.jsonl:1"]
)
def test_a_kill_between_the_beginning_and_the_answer_gives_no_second_scan(disk: Disk, where: str, when: str) -> None:
    before = start(disk, kill=f"{where}:{when}")
    begun = scans_of(disk)
    ((status, scan_id, repeated),) = start(disk, "again")
    assert set(begun) <= set(scans_of(disk))
    assert len(scans_of(disk)) <= 1, "asked once, so there is one scan, or none and a refusal"
    if status == "accepted":
        assert scans_of(disk) == [scan_id]
    else:
        assert repeated, "it is known, though nobody knows its answer"
    assert not before or before[0][0] == "refused" or begun == scans_of(disk)
    if before:
        assert (status, scan_id) == before[0][:2], "what was answered once is answered the same"
    for name in scans_of(disk):
        assert faults_of_sealed(StoreLayout(disk.root).scan(name), VIEWS) == []
