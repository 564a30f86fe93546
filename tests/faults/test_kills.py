"""A scanning daemon is killed, and the power cut beneath it; new processes go on. A part of `scripts/bench kills`."""

import shutil
from pathlib import Path

import pytest
from interruptions import (
    PLAIN,
    Outcome,
    daemon_cuts,
    killed_at_instants,
    killed_at_journal_steps,
    killed_in_stories,
)
from scan_to_the_end import KINDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcc") is None, reason="NO KILLS TRIED: the recorder beneath the daemon needs gcc"
    ),
]
SEED = 11


def assert_nothing_lost(outcomes: list[Outcome]) -> None:
    lost = [outcome.verdict for outcome in outcomes if outcome.verdict.faults]
    assert not lost, "\n".join(map(str, lost))


def test_a_kill_at_a_step_of_the_journal_loses_nothing(tmp_path: Path) -> None:
    outcomes = killed_at_journal_steps(tmp_path / "steps", SEED, processes=2, most=8)
    assert_nothing_lost(outcomes)
    assert sum(outcome.kills for outcome in outcomes) >= 8


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != PLAIN])
def test_kills_within_rings_brackets_additions_and_pauses_lose_nothing(tmp_path: Path, kind: str) -> None:
    outcomes = killed_in_stories(tmp_path, SEED, processes=2, kinds=[kind], steps=2)
    assert_nothing_lost(outcomes)
    assert sum(outcome.kills for outcome in outcomes) >= 3


def test_kills_at_random_instants_lose_nothing(tmp_path: Path) -> None:
    outcomes = killed_at_instants(tmp_path / "instants", SEED, kills=10, processes=2)
    assert_nothing_lost(outcomes)
    assert sum(outcome.kills for outcome in outcomes) >= 10


def test_a_daemon_goes_on_after_any_cut_of_the_power(tmp_path: Path) -> None:
    verdicts = daemon_cuts(tmp_path / "cuts", SEED, most=8, processes=2)
    lost = [verdict for verdict in verdicts if verdict.faults]
    assert not lost, "\n".join(map(str, lost))
