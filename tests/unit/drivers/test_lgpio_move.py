import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lgpio_move import OutgoingMove
from drivers.motion_profile import MotionLimits, plan_move
from drivers.pulse_chunks import delays_us

LIMITS = MotionLimits(60, 180)


def outgoing(steps: int) -> tuple[OutgoingMove, list[int]]:
    profile = plan_move(steps, 0.0375, LIMITS)
    delays = delays_us(profile.intervals_s).tolist()
    return OutgoingMove(delays, profile.ramp_steps), delays


def rest_of(move: OutgoingMove) -> list[int]:
    found: list[int] = []
    while move.left:
        found += move.take(5000)
    return found


def taken(move: OutgoingMove, steps: int) -> int:
    """Let about so many steps out; return how many."""
    out = 0
    while out < steps and move.left:
        out += len(move.take(1))
    return out


@given(steps=st.integers(1, 3000), longest_us=st.integers(1, 40_000))
def test_all_steps_come_in_order_and_in_short_pieces(steps: int, longest_us: int) -> None:
    move, delays = outgoing(steps)
    found: list[int] = []
    while piece := move.take(longest_us):
        assert len(piece) == 1 or sum(piece) <= longest_us
        found += piece
    assert found == delays


@given(steps=st.integers(1, 3000), out=st.integers(1, 3000))
def test_what_is_stopped_ends_as_the_profile_does(steps: int, out: int) -> None:
    move, delays = outgoing(steps)
    out = taken(move, out)
    move.stop()
    braking = plan_move(steps, 0.0375, LIMITS).stopping_intervals_s(out)
    assert move.left == len(braking)
    assert rest_of(move) == delays[len(delays) - len(braking) :]


@given(steps=st.integers(2, 3000), out=st.integers(1, 3000), again=st.integers(0, 500))
def test_after_a_standstill_the_rest_is_a_move_from_rest_to_rest(steps: int, out: int, again: int) -> None:
    move, _ = outgoing(steps)
    out = taken(move, min(out, steps - 1))
    move.stand()
    again = taken(move, again)
    if again and move.left:
        move.stand()
    rest = rest_of(move)
    assert out + again + len(rest) == steps
    fresh = plan_move(len(rest), 0.0375, LIMITS)
    # As a move of that length would be planned, but for the one step in its middle.
    assert np.cumsum(rest) * 1e-6 == pytest.approx(np.cumsum(fresh.intervals_s), abs=0.01)


def test_a_standstill_while_it_brakes_is_the_end() -> None:
    move, _ = outgoing(2400)
    taken(move, 1000)
    move.stop()
    taken(move, 100)
    move.stand()
    assert move.left == 0
