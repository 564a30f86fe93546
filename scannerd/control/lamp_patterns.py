"""What the one lamp says, as data: rhythms that a person tells apart without seeing colours, across the room.

They differ in how many flashes come between long darknesses, and in whether light or darkness prevails; nothing rests
on brightness or on telling a second from half a second. docs/button.md has them as a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scannerd.board.state import Mood


@dataclass(frozen=True)
class Beat:
    """The lamp stays like this for a while."""

    lit: bool
    seconds: float


@dataclass(frozen=True)
class Pattern:
    """Beats that are repeated until another pattern is due; `times` of them, or for ever."""

    name: str
    beats: tuple[Beat, ...]
    times: int | None = None

    @property
    def cycle_s(self) -> float:
        """How long it takes until it repeats."""
        return sum(beat.seconds for beat in self.beats)


def _blinks(count: int, lit_s: float, dark_s: float, rest_s: float) -> tuple[Beat, ...]:
    """Return `count` flashes, the last one followed by `rest_s` of darkness instead of `dark_s`."""
    beats = [beat for _ in range(count) for beat in (Beat(True, lit_s), Beat(False, dark_s))]
    return (*beats[:-1], Beat(False, rest_s))


PATTERNS: Mapping[Mood, Pattern] = {
    Mood.IDLE: Pattern("idle", (Beat(True, 1.0),)),
    Mood.SCANNING: Pattern("scanning", (Beat(True, 1.0), Beat(False, 1.0))),
    Mood.PAUSED: Pattern("paused", _blinks(2, 0.2, 0.2, 1.4)),
    Mood.ASKING: Pattern("asking", _blinks(3, 0.2, 0.2, 1.4)),
    Mood.UPLOADING: Pattern("uploading", _blinks(1, 0.2, 0.0, 1.8)),
    Mood.DONE: Pattern("done", (Beat(True, 1.8), Beat(False, 0.2))),
    Mood.FAULT: Pattern("fault", (Beat(True, 0.25), Beat(False, 0.25))),
}

WARNING = Pattern("warning", (Beat(True, 0.08), Beat(False, 0.08)))
"""While a finger holds the button: letting go now still means nothing."""

CODE_TIMES = 3
DIGITS = "123456"
"""What a code may hold: more flashes are miscounted."""
_FLASH_S, _GAP_S, _REST_S, _START_S = 0.3, 0.3, 1.5, 2.0


def code_pattern(code: str) -> Pattern:
    """Return a code as flashes: a long one begins it, each digit is as many short ones, a rest ends each.

    Raises ValueError for a code that holds anything else than the digits 1 to 6.
    """
    if not code or set(code) - set(DIGITS):
        raise ValueError(f"code {code!r}: a lamp can blink the digits {DIGITS[0]} to {DIGITS[-1]} only")
    beats = [Beat(True, _START_S), Beat(False, _REST_S)]
    for digit in code:
        beats += _blinks(int(digit), _FLASH_S, _GAP_S, _REST_S)
    return Pattern(f"code of {len(code)} digits", tuple(beats), CODE_TIMES)
