import threading

import numpy as np
import pytest

from drivers.motion_profile import MotionLimits, plan_move
from drivers.pulse_player import CATCH_UP, GpioPulsePlayer

PROFILE = plan_move(2400, 0.0375, MotionLimits(60, 180))


class JumpingClock:
    """Time passes only while somebody sleeps; `late_s` says how much too long, by the number of the sleep."""

    def __init__(self, late_s: dict[int, float]) -> None:
        self.time_s = 0.0
        self.sleeps = 0
        self._late_s = late_s

    def now_s(self) -> float:
        return self.time_s

    def sleep_until(self, deadline_s: float) -> None:
        self.time_s = max(self.time_s, deadline_s) + self._late_s.get(self.sleeps, 0.0)
        self.sleeps += 1

    async def wait_until(self, deadline_s: float) -> None:
        self.sleep_until(deadline_s)


class Wire:
    """A line, and its pin, that notes when it rose."""

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self._level = False
        self.rises_s: list[float] = []

    @property
    def pin(self) -> "Wire":
        return self

    @property
    def state(self) -> bool:
        return self._level

    @state.setter
    def state(self, level: bool) -> None:
        if level and not self._level:
            self.rises_s.append(self._clock.time_s)
        self._level = level


def play(late_s: dict[int, float], stop_after: int | None = None) -> tuple[Wire, int]:
    clock = JumpingClock(late_s)
    wire, stop, steps = Wire(clock), threading.Event(), 0

    def count(more: int) -> None:
        nonlocal steps
        steps += more
        if steps == stop_after:
            stop.set()

    GpioPulsePlayer(wire, clock).play(PROFILE, stop, count)
    return wire, steps


def test_each_step_comes_when_the_profile_says() -> None:
    wire, steps = play({})
    assert steps == len(wire.rises_s) == 2400
    np.testing.assert_allclose(wire.rises_s, np.cumsum(PROFILE.intervals_s), atol=1e-9)


def test_lateness_does_not_add_up() -> None:
    wire, _ = play(dict.fromkeys(range(2400), 80e-6))
    assert wire.rises_s[-1] == pytest.approx(PROFILE.duration_s, abs=1e-3)


def test_after_a_hiccup_it_catches_up_without_a_burst() -> None:
    hiccup_at = 800
    wire, steps = play({hiccup_at: 0.05})
    assert steps == 2400
    gaps_s = np.diff(wire.rises_s)
    assert np.all(gaps_s >= CATCH_UP * PROFILE.intervals_s[1:] - 1e-12)
    assert wire.rises_s[-1] == pytest.approx(PROFILE.duration_s, abs=1e-6)


def test_stop_slows_down_and_counts_what_went_out() -> None:
    wire, steps = play({}, stop_after=1000)
    assert steps == len(wire.rises_s) == 1000 + PROFILE.ramp_steps
    gaps_s = np.diff(wire.rises_s)[1000:]
    assert np.all(np.diff(gaps_s) > -1e-9), "it must not speed up while stopping"
    assert gaps_s[-1] == pytest.approx(PROFILE.intervals_s[0])


def test_stop_before_the_first_step_issues_none() -> None:
    clock = JumpingClock({})
    stop = threading.Event()
    stop.set()
    wire = Wire(clock)
    GpioPulsePlayer(wire, clock).play(PROFILE, stop, lambda _: None)
    assert wire.rises_s == []
