import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lamp_reader import Change, code_of, mood_of

from scannerd.board.state import Mood
from scannerd.control.lamp_patterns import CODE_TIMES, PATTERNS, WARNING, Pattern, code_pattern

JITTER_S = 0.03
"""A busy Pi is that late with a beat."""
codes = st.text("123456", min_size=6, max_size=6)


def played(pattern: Pattern, seconds: float, jitter: list[float] | None = None) -> list[Change]:
    """Return what the lamp does in that time, each change a little late."""
    at_s, changes, late = 0.0, [], itertools.cycle(jitter or [0.0])
    for beat in itertools.cycle(pattern.beats):
        changes.append((at_s + next(late), beat.lit))
        at_s += beat.seconds
        if at_s > seconds:
            return changes
    raise AssertionError("a pattern has beats")


@given(
    st.sampled_from([*PATTERNS.values(), WARNING]),
    st.floats(0, 5),
    st.lists(st.floats(0, JITTER_S), min_size=7, max_size=7),
)
def test_every_mood_is_told_from_every_other_whenever_one_begins_to_look(
    pattern: Pattern, from_s: float, jitter: list[float]
) -> None:
    changes = played(pattern, from_s + 3 * max(pattern.cycle_s, 0.6), jitter)
    seen = [change for change in changes if change[0] >= from_s]
    assert mood_of(seen) == pattern.name


def test_every_mood_has_a_pattern_and_no_two_the_same() -> None:
    assert set(PATTERNS) == set(Mood)
    assert len({pattern.beats for pattern in [*PATTERNS.values(), WARNING]}) == len(Mood) + 1


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.name)
def test_no_pattern_makes_anybody_wait_or_flashes_too_fast(pattern: Pattern) -> None:
    assert pattern.cycle_s <= 2.5
    flashes = sum(beat.lit for beat in pattern.beats) if len(pattern.beats) > 1 else 0
    assert flashes / pattern.cycle_s <= 3, "more than three flashes a second are hard on some people"


@given(codes, st.lists(st.floats(0, JITTER_S), min_size=5, max_size=5))
def test_a_code_is_read_from_the_lamp(code: str, jitter: list[float]) -> None:
    pattern = code_pattern(code)
    assert code_of(played(pattern, 2 * pattern.cycle_s, jitter)) == code


@given(codes)
def test_a_code_that_is_shown_to_the_end_is_still_valid(code: str) -> None:
    assert code_pattern(code).cycle_s * CODE_TIMES <= 110, "codes are valid for 120 s"


@pytest.mark.parametrize("code", ["", "0", "12 456", "1234567", "abc"])
def test_what_cannot_be_blinked_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="digits 1 to 6"):
        code_pattern(code)
