from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.control.presses import Press, Presses, PressTimes

TIMES = PressTimes(debounce_s=0.02, hold_s=1.5, warn_s=1.0, stuck_s=30.0, double_s=0.0)
MEANINGS = {
    0.05: [Press.SHORT],
    1.4: [Press.SHORT],
    1.7: [Press.HELD, Press.LET_GO],
    2.4: [Press.HELD, Press.LET_GO],
    2.7: [Press.HELD, Press.LONG],
    29.0: [Press.HELD, Press.LONG],
    31.0: [Press.HELD, Press.LONG, Press.STUCK, Press.FREED],
}
"""How long a finger stays → what it means."""


@dataclass
class Edge:
    closed: bool
    at_s: float


@st.composite
def bounces(draw: st.DrawFn) -> list[float]:
    """Gaps between the edges of one bouncing change, seconds; always an even number of further edges."""
    return draw(st.lists(st.floats(0.0001, 0.015), min_size=0, max_size=3)) * 2


@st.composite
def fingers(draw: st.DrawFn) -> tuple[list[Edge], list[Press], float]:
    """Some presses of a bad contact, what they mean, and when all is over."""
    edges: list[Edge] = []
    meant: list[Press] = []
    at_s = 1.0
    for stays_s in draw(st.lists(st.sampled_from(list(MEANINGS)), max_size=4)):
        for closed, lasts_s in ((True, stays_s), (False, draw(st.floats(0.1, 3)))):
            level, edge_s = closed, at_s
            edges.append(Edge(level, edge_s))
            for gap_s in draw(bounces()):
                level, edge_s = not level, edge_s + gap_s
                edges.append(Edge(level, edge_s))
            at_s = edge_s + lasts_s
        meant += MEANINGS[stays_s]
    return edges, meant, at_s


@given(fingers(), st.lists(st.floats(0, 130), max_size=30))
def test_presses_are_what_they_were_however_seldom_somebody_looks(
    finger: tuple[list[Edge], list[Press], float], looks_s: list[float]
) -> None:
    edges, meant, over_s = finger
    presses = Presses(TIMES, closed=False, now_s=0.0)
    seen: list[Press] = []
    moments = [(edge.at_s, edge) for edge in edges] + [(look_s, None) for look_s in looks_s if look_s < over_s]
    for at_s, edge in sorted(moments, key=lambda moment: moment[0]):
        seen += presses.look(at_s) if edge is None else presses.edge(edge.closed, at_s)
    assert seen + presses.look(over_s + 1) == meant
    assert presses.next_s() is None


@given(fingers())
def test_looking_when_told_to_is_enough_and_finds_each_press_in_time(
    finger: tuple[list[Edge], list[Press], float],
) -> None:
    edges, meant, over_s = finger
    presses, seen = Presses(TIMES, closed=False, now_s=0.0), []
    for edge in [*edges, Edge(False, over_s + 1)]:
        while (next_s := presses.next_s()) is not None and next_s < edge.at_s:
            seen += presses.look(next_s)
        seen += presses.edge(edge.closed, edge.at_s)
    assert seen == meant


@given(st.lists(st.floats(0.0001, 0.019), min_size=2, max_size=200))
def test_pulses_shorter_than_the_debounce_time_are_nothing(gaps_s: list[float]) -> None:
    presses, seen, at_s, level = Presses(TIMES, closed=False, now_s=0.0), [], 1.0, False
    for gap_s in gaps_s[: len(gaps_s) // 2 * 2]:
        level = not level
        seen += presses.edge(level, at_s)
        at_s += gap_s
    assert seen + presses.look(at_s + 100) == []


def test_a_contact_found_closed_is_stuck_until_it_is_let_go() -> None:
    presses = Presses(TIMES, closed=True, now_s=5.0)
    assert presses.next_s() == 5.0
    assert presses.look(5.0) == [Press.STUCK]
    assert presses.look(100.0) == []
    assert presses.next_s() is None
    assert presses.edge(False, 101.0) == []
    assert presses.look(101.1) == [Press.FREED]
    presses.edge(True, 102.0)
    presses.edge(False, 102.2)
    assert presses.look(103.0) == [Press.SHORT]


def test_a_finger_that_leaves_at_the_start_has_pressed_nothing() -> None:
    presses = Presses(TIMES, closed=True, now_s=5.0)
    assert presses.edge(False, 5.3) == [Press.STUCK]
    assert presses.look(6.0) == [Press.FREED]


def test_a_contact_that_never_rests_is_reported_once_and_works_again_when_it_rests_open() -> None:
    presses, seen, at_s, level = Presses(TIMES, closed=False, now_s=0.0), [], 1.0, False
    while at_s < 70.0:
        level = not level
        seen += presses.edge(level, at_s)
        at_s += 0.01
    assert seen == [Press.CHATTERING]
    presses.edge(True, at_s)
    assert presses.look(at_s + 5) == [], "rests closed"
    assert presses.edge(False, at_s + 6) == []
    assert presses.look(at_s + 7) == [Press.FREED]


def test_a_press_right_after_the_rest_counts_even_if_nobody_looked_in_between() -> None:
    presses = Presses(TIMES, closed=True, now_s=0.0)
    presses.edge(False, 1.0)
    assert presses.edge(True, 2.0) == [Press.FREED]
    presses.edge(False, 2.1)
    assert presses.look(3.0) == [Press.SHORT]


@pytest.mark.parametrize("warn_s", [0.0, 0.3])
def test_without_a_warning_a_long_press_acts_at_once(warn_s: float) -> None:
    presses = Presses(PressTimes(warn_s=warn_s), closed=False, now_s=0.0)
    presses.edge(True, 1.0)
    assert presses.look(2.81) == [Press.HELD, Press.LONG]


def edges_of(*presses_s: tuple[float, float]) -> list[tuple[bool, float]]:
    return [edge for down_s, up_s in presses_s for edge in ((True, down_s), (False, up_s))]


@pytest.mark.parametrize(
    ("taps_s", "expected"),
    [
        (((1.0, 1.1), (1.3, 1.4)), [Press.SHORT, Press.DOUBLE]),
        (((1.0, 1.1), (1.7, 1.8)), [Press.SHORT, Press.SHORT]),
        (((1.0, 1.1), (1.2, 1.3), (1.4, 1.5)), [Press.SHORT, Press.DOUBLE, Press.SHORT]),
        (((1.0, 1.1), (1.2, 1.3), (1.4, 1.5), (1.6, 1.7)), [Press.SHORT, Press.DOUBLE, Press.SHORT, Press.DOUBLE]),
    ],
)
def test_two_short_presses_are_one_double_press(
    taps_s: tuple[tuple[float, float], ...], expected: list[Press]
) -> None:
    presses = Presses(PressTimes(double_s=0.5), closed=False, now_s=0.0)
    told = [press for closed, at_s in edges_of(*taps_s) for press in presses.edge(closed, at_s)]
    assert told + presses.look(5.0) == expected


def test_the_first_of_two_is_told_before_the_second_comes() -> None:
    presses = Presses(PressTimes(double_s=0.5), closed=False, now_s=0.0)
    for closed, at_s in edges_of((1.0, 1.1)):
        presses.edge(closed, at_s)
    assert presses.look(1.13) == [Press.SHORT]
