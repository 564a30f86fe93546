"""All scans in a few bytes each: what is ready, what rests, what wakes up, and who is next."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offload.sync.backlog import Backlog, Standing
from offload.sync.choice import Choice, choose_first
from offload.sync.state import StateFile
from offload.wire.jobs import Job, JobState

AGES_S = {"old": 3000, "newer": 2000, "newest": 1000}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name, age_s in AGES_S.items():
        folder = tmp_path / name
        folder.mkdir()
        journal = folder / "journal.jsonl"
        journal.write_text("{}\n")
        os.utime(journal, (time.time() - age_s,) * 2)
    return tmp_path


def taken_in(scans: Path) -> Backlog:
    backlog = Backlog(scans)
    changed = backlog.listed_anew()
    assert changed is not None
    for name in changed[0]:
        backlog.examine(name)
    return backlog


def remember(scans: Path, name: str, **state: object) -> None:
    file = StateFile(scans / name)
    file.change(**state)
    file.save()


def job(state: JobState) -> Job:
    now = datetime.now(UTC)
    return Job(job_id="j", scan_id="s", bundle_sha256="a" * 64, state=state, created_at=now, updated_at=now)


def test_what_sync_remembers_is_not_asked_again(scans: Path) -> None:
    remember(scans, "old", resting_at_bytes=3)
    remember(scans, "newer", job=job(JobState.RUNNING))
    remember(scans, "newest", results_in_place=True)
    backlog = taken_in(scans)
    assert {name: entry.standing for name, entry in backlog.entries.items()} == {
        "old": Standing.RESTING,
        "newer": Standing.FOLLOWED,
        "newest": Standing.DONE,
    }


def test_what_changed_since_is_carried_again(scans: Path) -> None:
    remember(scans, "old", resting_at_bytes=1)
    remember(scans, "newer", job=job(JobState.RUNNING))
    sealed_later = scans / "newer" / "manifest.json"
    sealed_later.write_text("{}")
    os.utime(sealed_later, (time.time() + 5,) * 2)
    assert taken_in(scans).having(Standing.READY) == set(AGES_S)


def test_a_scan_that_gets_a_photo_wakes_up(scans: Path) -> None:
    backlog = taken_in(scans)
    backlog.put_down("old", Standing.RESTING, at_bytes=3)
    backlog.put_down("newer", Standing.RESTING, at_bytes=2)
    assert backlog.having(Standing.READY) == {"newer", "newest"}, "a photo came as newer was put down"
    with (scans / "old" / "journal.jsonl").open("a") as journal:
        journal.write("{}\n")
    backlog.entries["old"].look_at_s = 0.0
    backlog.wake()
    assert backlog.having(Standing.RESTING) == set()


def test_scans_come_and_go(scans: Path) -> None:
    backlog = taken_in(scans)
    (scans / "empty").mkdir()
    (scans / ".trash").mkdir()
    (scans / "old").rename(scans / ".trash" / "old")
    changed = backlog.listed_anew()
    assert changed == ({"empty"}, {"old"})
    assert backlog.examine("empty") is None
    backlog.forget("old")
    (scans / "empty" / "journal.jsonl").touch()
    changed = backlog.listed_anew()
    assert changed == ({"empty"}, set()), "a folder becomes a scan without any change of the folder above"
    assert backlog.examine("empty") is not None


def test_a_persons_choice_then_the_newest(scans: Path) -> None:
    backlog, choice = taken_in(scans), Choice(scans)
    assert not choice.refresh()
    assert sorted(AGES_S, key=lambda name: backlog.rank(name, choice.scan_id)) == ["newest", "newer", "old"]
    choose_first(scans, "old")
    assert choice.refresh()
    assert not choice.refresh()
    assert sorted(AGES_S, key=lambda name: backlog.rank(name, choice.scan_id)) == ["old", "newest", "newer"]
    (scans / ".sync" / "first").write_text("../../etc\n")
    assert not choice.refresh()
    assert choice.scan_id == "old"
