"""The cap: never more than its rate and a small burst, however many ask."""

from hypothesis import given
from hypothesis import strategies as st

from offload.sync.rate_meter import RateMeter
from offload.sync.token_bucket import BURST_S, TokenBucket

RATE_BYTES_S = 1000.0


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_without_a_cap_nobody_waits() -> None:
    bucket = TokenBucket(None)
    assert [bucket.wait_s(1 << 30) for _ in range(3)] == [0, 0, 0]


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5000)), min_size=1, max_size=40))
def test_never_more_than_the_rate(asked: list[tuple[float, int]]) -> None:
    clock = Clock()
    bucket = TokenBucket(RATE_BYTES_S, clock)
    goes_at: list[tuple[float, int]] = []
    for pause_s, size_bytes in asked:
        clock.now_s += pause_s
        goes_at.append((clock.now_s + bucket.wait_s(size_bytes), size_bytes))
    for begin in range(len(goes_at)):
        for end in range(begin, len(goes_at)):
            before_last = sum(size for _, size in goes_at[begin:end])
            span_s = goes_at[end][0] - goes_at[begin][0]
            assert before_last <= RATE_BYTES_S * (span_s + BURST_S) + 1e-6


def test_whoever_asks_first_goes_first_and_the_line_is_never_idle() -> None:
    clock = Clock()
    bucket = TokenBucket(RATE_BYTES_S, clock)
    waits_s = [bucket.wait_s(500) for _ in range(4)]
    assert waits_s == sorted(waits_s)
    assert waits_s[-1] == 1.5


def test_the_rate_is_what_went_out_lately() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    for second in range(20):
        clock.now_s = float(second)
        meter.add(700)
    assert 600 <= meter.rate_bytes_s() <= 800
    clock.now_s = 60.0
    assert (meter.rate_bytes_s(), meter.bytes_sent) == (0.0, 20 * 700)
