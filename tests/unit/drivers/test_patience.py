import time

import pytest

from drivers.patience import Patience


class HandClock:
    """`Clock` that a test sets."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now_s(self) -> float:
        return self.at_s

    def sleep_until(self, deadline_s: float) -> None:
        raise NotImplementedError

    async def wait_until(self, deadline_s: float) -> None:
        raise NotImplementedError

    def from_monotonic_s(self, monotonic_s: float) -> float:
        raise NotImplementedError


def test_it_runs_out_when_both_clocks_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system_s = HandClock(), 5.0
    monkeypatch.setattr(time, "monotonic", lambda: system_s)
    patience = Patience(clock, 3.0)
    assert patience.left_s == 3.0
    clock.at_s += 10.0
    assert patience.left_s == 3.0, "a fast bench does not hurry the machine"
    system_s += 3.5
    assert patience.left_s < 0
    still = Patience(clock, 3.0)
    system_s += 100.0
    assert still.left_s == 3.0, "a bench that stands still keeps nobody waiting"
