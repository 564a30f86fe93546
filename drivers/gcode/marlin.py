"""Marlin's serial protocol: numbered lines with checksums out, events in.

A line is `N<number> <command>*<checksum>`, the checksum the exclusive or of every byte before the asterisk. Each is
answered by `ok`; where it came damaged, by `Error:…`, `Resend: <number>` and an `ok` that belongs to the resending.
`echo:busy: …` says every few seconds that a command still runs.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from functools import reduce

from drivers.gcode.lines import Garbled, LineCutter

KEPT_LINES = 32
"""So many lines can be sent again; Marlin asks for the last few."""

NUMBER = r"-?\d+(?:\.\d+)?"
POSITION = re.compile(rf"((?:[XYZABCUVWE]:{NUMBER} ?)+)(?:Count ((?:[XYZABCUVWE]: ?-?\d+ ?)+))?")
PAIR = re.compile(rf"([XYZABCUVWE]): ?({NUMBER})")
OK = re.compile(r"ok(?: [A-Z@][^ ]*)*")
STEPS = re.compile(rf"(?:echo:)? *M92((?: [XYZABCUVWE]{NUMBER})+)")
KILLED = re.compile(r"Error:.*(?:halted|stopped|kill\(\)).*", re.IGNORECASE)
CHATTER = re.compile(
    r"(?:echo:|//|FIRMWARE_NAME:|Cap:|cap:|Marlin |External Reset|Watchdog Reset|Brown out Reset|Power Up|M\d+)"
)
DAMAGED = re.compile(r"Error:.*(?:checksum|Line Number|Last Line).*", re.IGNORECASE)


@dataclass(frozen=True)
class Done:
    """`ok`: the line was taken; a move has only been planned."""

    line: str


@dataclass(frozen=True)
class SendAgain:
    """A line came damaged: send this, and wait on."""

    data: bytes
    number: int


@dataclass(frozen=True)
class Busy:
    """It still works on a line."""

    what: str


@dataclass(frozen=True)
class Failed:
    """`Error:…`."""

    text: str
    is_dead: bool
    """It has switched everything off and takes nothing until it is switched off and on."""


@dataclass(frozen=True)
class Position:
    """The answer to M114: planned places in units, and counted steps."""

    units: dict[str, float]
    steps: dict[str, int]


@dataclass(frozen=True)
class StepsPerUnit:
    """The answer to M92."""

    values: dict[str, float]


@dataclass(frozen=True)
class Started:
    """`start`: it was switched on or reset, and counts lines from the beginning."""


@dataclass(frozen=True)
class Told:
    """What it tells besides."""

    text: str

    @property
    def is_unknown_command(self) -> bool:
        """Whether it did not understand a command, to which it says `ok` all the same."""
        return "Unknown command" in self.text


Event = Done | SendAgain | Busy | Failed | Position | StepsPerUnit | Started | Told | Garbled


@dataclass
class MarlinCodec:
    """One conversation: one line at a time is under way."""

    _cutter: LineCutter = field(default_factory=LineCutter)
    _number: int = 0
    _kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    _sent: deque[str] = field(default_factory=deque)
    _resends: int = 0
    """`ok`s to come that belong to a Resend."""

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Lines that were not answered yet, the oldest first."""
        return tuple(self._sent)

    def restart(self) -> bytes:
        """Return the line that makes both sides count from 0."""
        self._kept.clear()
        self._sent.clear()
        self._number, self._resends = -1, 0
        self._cutter.forget()
        return self.line("M110 N0")

    def line(self, command: str) -> bytes:
        """Return what to send for a command, which counts as sent."""
        self._number += 1
        self._kept.append((self._number, command))
        self._sent.append(command)
        return numbered(self._number, command)

    def take(self, data: bytes) -> list[Event]:
        """Return what these bytes say."""
        return [event for line in self._cutter.take(data) if (event := self._event(line)) is not None]

    def _event(self, line: str | Garbled) -> Event | None:
        if isinstance(line, Garbled):
            return line
        line = line.strip()
        garbled = Garbled(line.encode("ascii"))
        if OK.fullmatch(line):
            if self._resends:
                self._resends -= 1
                return None
            return Done(self._sent.popleft()) if self._sent else garbled
        if (found := re.fullmatch(r"(?:Resend|rs):? ?(\d+)", line)) is not None:
            return self._again(int(found[1])) or garbled
        if line == "start":
            self._sent.clear()
            return Started()
        return _said(line) or garbled

    def _again(self, number: int) -> Event | None:
        """Everything from there on is sent once more; each line of it is answered anew."""
        lines = [(kept, command) for kept, command in self._kept if kept >= number]
        if not lines or lines[0][0] != number:
            return None
        self._resends += 1
        return SendAgain(b"".join(numbered(kept, command) for kept, command in lines), number)


def numbered(number: int, command: str) -> bytes:
    """Return a command with its number and checksum."""
    text = f"N{number} {command}".encode("ascii")
    return text + f"*{reduce(lambda a, b: a ^ b, text, 0)}\n".encode("ascii")


def _said(line: str) -> Event | None:
    if line.startswith("echo:busy:"):
        return Busy(line.removeprefix("echo:busy:").strip())
    if line.startswith("Error:"):
        if DAMAGED.fullmatch(line):
            return Told(line)
        return Failed(line.removeprefix("Error:").strip(), KILLED.fullmatch(line) is not None)
    if (found := STEPS.fullmatch(line)) is not None:
        return StepsPerUnit({letter: float(value) for letter, value in re.findall(rf"([A-Z])({NUMBER})", found[1])})
    if (found := POSITION.fullmatch(line)) is not None:
        steps = {letter: int(value) for letter, value in PAIR.findall(found[2] or "")}
        return Position({letter: float(value) for letter, value in PAIR.findall(found[1])}, steps)
    return Told(line) if CHATTER.match(line) else None
