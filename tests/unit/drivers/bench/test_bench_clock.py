import threading
import time

import pytest

from drivers.bench.bench_clock import BenchClock


def test_bench_time_runs_at_its_speed() -> None:
    clock = BenchClock(speed=50)
    started_s, bench_s = time.monotonic(), clock.now_s()
    clock.sleep_until(bench_s + 2.0)
    assert clock.now_s() - bench_s >= 2.0
    assert clock.now_s() <= (time.monotonic() - started_s) * 50 + bench_s + 1e-6


def test_a_paused_world_stands_still() -> None:
    clock = BenchClock()
    with clock.paused():
        stopped_s = clock.now_s()
        time.sleep(0.02)
        assert clock.now_s() == stopped_s
        with clock.paused():
            assert clock.now_s() == stopped_s
        assert clock.now_s() == stopped_s
    assert clock.now_s() - stopped_s < 0.02


def test_it_goes_on_when_the_last_thread_lets_go() -> None:
    clock = BenchClock()
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with clock.paused():
            holding.set()
            let_go.wait()

    other = threading.Thread(target=hold)
    with clock.paused():
        other.start()
        holding.wait()
    stopped_s = clock.now_s()
    assert clock.now_s() == stopped_s
    let_go.set()
    other.join()
    clock.sleep_until(stopped_s + 0.001)
    assert clock.now_s() > stopped_s


def test_a_sleeper_sleeps_through_a_pause() -> None:
    clock = BenchClock()
    deadline_s = clock.now_s() + 0.02
    woke_s: list[float] = []
    sleeper = threading.Thread(target=lambda: (clock.sleep_until(deadline_s), woke_s.append(clock.now_s())))
    with clock.paused():
        sleeper.start()
        sleeper.join(timeout=0.05)
        assert sleeper.is_alive()
    sleeper.join()
    assert woke_s[0] >= deadline_s


async def test_a_task_waits_for_the_deadline() -> None:
    clock = BenchClock(speed=10)
    deadline_s = clock.now_s() + 0.2
    await clock.wait_until(deadline_s)
    assert clock.now_s() >= deadline_s


def test_bench_and_system_time_convert_across_pauses() -> None:
    clock = BenchClock(speed=2)
    early_s = clock.now_s()
    early_system_s = time.monotonic()
    time.sleep(0.005)
    before_s = time.monotonic()
    with clock.paused():
        stopped_s = clock.now_s()
        time.sleep(0.02)
    time.sleep(0.005)
    late_system_s, late_s = time.monotonic(), clock.now_s()
    assert clock.system_s(early_s) == pytest.approx(early_system_s, abs=2e-3)
    assert clock.system_s(late_s) == pytest.approx(late_system_s, abs=2e-3)
    assert clock.system_s(stopped_s) == pytest.approx(before_s, abs=2e-3), "the moment the pause began"
    for moment_s in (early_s, stopped_s, late_s):
        assert clock.bench_s(clock.system_s(moment_s)) == pytest.approx(moment_s, abs=1e-6)


def test_time_cannot_stand_still_for_ever() -> None:
    with pytest.raises(ValueError, match="speed = 0"):
        BenchClock(speed=0)


def test_it_knows_how_long_a_late_thread_meant_to_sleep() -> None:
    """A thread that is late waits 0.8 of what it planned, as the pulse player does."""
    clock, planned_s = BenchClock(speed=10.0), 0.05
    assert clock.take_wait_s() is None
    due_s = last_s = clock.now_s()
    clock.sleep_until(due_s)
    clock.take_wait_s()
    for late_s in (0.0, 0.0, 0.5, 0.0, 0.0):
        due_s += planned_s
        clock.sleep_until(max(due_s, last_s + 0.8 * planned_s))
        meant_s = clock.take_wait_s()
        assert meant_s is not None
        assert meant_s <= planned_s + 1e-6, "never longer, however late it was"
        time.sleep(late_s / clock.speed)
        last_s = clock.now_s()
