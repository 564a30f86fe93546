from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.store.ledger import CommandLedger


def test_commands_and_answers_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    ledger = CommandLedger(path)
    ledger.begin("a", "Home()")
    ledger.answer("a", {"status": "accepted"})
    ledger.begin("b", "Stop()")
    again = CommandLedger(path)
    known, cut_off = again.find("a"), again.find("b")
    assert known is not None
    assert (known.command, known.answer) == ("Home()", {"status": "accepted"})
    assert cut_off is not None
    assert cut_off.answer is None, "begun, and the daemon ended before there was an answer"
    assert again.find("c") is None


@given(cut=st.integers(min_value=0, max_value=400))
def test_a_power_cut_in_a_line_costs_that_line_only(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("ledger") / "commands.jsonl"
    ledger = CommandLedger(path)
    for number in range(5):
        ledger.begin(f"id-{number}", "Home()")
        ledger.answer(f"id-{number}", {"status": "refused", "reason": "größer"})
    data = path.read_bytes()
    path.write_bytes(data[: min(cut, len(data))])
    torn = CommandLedger(path)
    torn.begin("after", "Stop()")
    healed = CommandLedger(path)
    assert healed.find("after") is not None
    kept = [number for number in range(5) if healed.find(f"id-{number}") is not None]
    assert kept == list(range(len(kept))), "the first ones are kept, in order"


def test_memory_and_file_stay_small_however_many_commands_come(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    ledger = CommandLedger(path, capacity=10)
    for number in range(500):
        ledger.begin(str(number), "Home()")
        ledger.answer(str(number), {"status": "accepted"})
    assert path.stat().st_size < 5000
    assert ledger.find("499") is not None
    assert ledger.find("100") is None
    assert CommandLedger(path, capacity=10).find("499") is not None
