"""Buckets: how often, per caller, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.control.rest.limits import Buckets, caller_of


class Watch:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_passes_then_the_pace_holds() -> None:
    watch = Watch()
    buckets = Buckets(3, 0.5, monotonic_s=watch)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(2.0)
    watch.now_s = 2.0
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


def test_one_caller_does_not_slow_another() -> None:
    buckets = Buckets(1, 0.01, monotonic_s=Watch())
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


def test_many_callers_cost_bounded_memory_and_the_latest_are_remembered() -> None:
    buckets = Buckets(1, 0.01, capacity=100, monotonic_s=Watch())
    for number in range(10_000):
        buckets.take(str(number))
    assert len(buckets) == 100
    assert buckets.take("9999") > 0


@given(st.lists(st.floats(0, 10), max_size=60))
def test_never_more_than_the_burst_and_the_pace_allow(pauses_s: list[float]) -> None:
    watch = Watch()
    buckets = Buckets(5, 2, monotonic_s=watch)
    passed = 0
    for pause_s in pauses_s:
        watch.now_s += pause_s
        passed += buckets.take("a") == 0
    assert passed <= 5 + 2 * watch.now_s + 1e-6


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_what_counts_as_one_caller(address: str, caller: str) -> None:
    assert caller_of(address) == caller
