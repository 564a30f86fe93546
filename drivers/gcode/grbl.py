"""GRBL 1.1's interface, and grblHAL's where it is the same: bytes in, events out; commands in, bytes out.

After the interface document of gnea/grbl (doc/markdown/interface.md). Lines are answered in order by `ok` or
`error:N`; alarms, reports in chevrons, messages in brackets, settings and the banner come unasked. Real-time
characters stand outside the line protocol and are answered by nothing.
"""

import re
from collections import deque
from dataclasses import dataclass, field

from drivers.gcode.grbl_codes import ALARMS, ERRORS, LOSES_POSITION
from drivers.gcode.lines import Garbled, LineCutter

RX_BYTES = 128
"""Of the controller's receive buffer, line ends included."""

QUERY, HOLD, RESUME, RESET, JOG_CANCEL = b"?", b"!", b"~", b"\x18", b"\x85"

LETTERS = "XYZABC"
STATES = frozenset({"Idle", "Run", "Hold", "Jog", "Alarm", "Door", "Check", "Home", "Sleep", "Tool"})
NUMBER = r"[-+]?\d+(?:\.\d+)?"
REPORT = re.compile(r"<([A-Z][a-z]+)(?::(\d+))?((?:\|[A-Za-z]+:[^|<>]*)*)>")
NUMBERS = re.compile(rf"{NUMBER}(?:,{NUMBER})*")
SETTING = re.compile(r"\$(\d+)=(.*)")
STARTUP = re.compile(r"\$N\d+=.*|>.*:(?:ok|error:\d+)")
MESSAGE = re.compile(r"\[([A-Za-z0-9]+):(.*)\]")
BANNER = re.compile(r"(Grbl(?:HAL)?) ?([0-9][^\s\[]*).*", re.IGNORECASE)


class LineTooLong(ValueError):
    """It would not fit the controller's buffer."""


@dataclass(frozen=True)
class Done:
    """`ok`: the line was understood. A motion has only begun."""

    line: str


@dataclass(frozen=True)
class Refused:
    """`error:N` to a line, which was not carried out."""

    line: str
    number: int

    @property
    def text(self) -> str:
        """In words."""
        return ERRORS.get(self.number, "an error that GRBL 1.1 does not have")


@dataclass(frozen=True)
class Alarmed:
    """`ALARM:N`: everything has stopped."""

    number: int

    @property
    def text(self) -> str:
        """In words."""
        return ALARMS.get(self.number, "an alarm that GRBL 1.1 does not have")

    @property
    def loses_position(self) -> bool:
        """Whether nobody knows where it stands now."""
        return self.number in LOSES_POSITION or self.number not in ALARMS


@dataclass(frozen=True)
class Report:
    """`<…>`: where it is at this moment, in units of the machine, in the order X, Y, Z, A, B, C."""

    state: str
    part: int | None
    """Of Hold and Door: 0 when it stands."""
    machine: tuple[float, ...] | None
    """None: it reports work positions, and has not told their offset yet."""
    fields: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def stands(self) -> bool:
        """Whether nothing moves, and nothing is left to be moved."""
        return self.state in ("Idle", "Alarm", "Sleep", "Check")


@dataclass(frozen=True)
class Setting:
    """`$N=value`."""

    number: int
    value: str


@dataclass(frozen=True)
class Message:
    """`[KIND:text]`."""

    kind: str
    text: str


@dataclass(frozen=True)
class StartupLine:
    """A line of its own that it has run, or holds."""

    text: str


@dataclass(frozen=True)
class Started:
    """The banner: it was switched on or reset, and has forgotten every line it was sent."""

    version: str


Event = Done | Refused | Alarmed | Report | Setting | Message | StartupLine | Started | Garbled


class GrblCodec:
    """One conversation. Nothing blocks, nothing is read or written."""

    def __init__(self) -> None:
        self._cutter = LineCutter()
        self._sent: deque[str] = deque()
        self._offset: tuple[float, ...] | None = None

    @property
    def waiting_bytes(self) -> int:
        """Of lines that were not answered yet: so much may still be in the controller's buffer."""
        return sum(len(line) + 1 for line in self._sent)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Lines that were not answered yet, the oldest first."""
        return tuple(self._sent)

    def fits(self, line: str) -> bool:
        """Whether a line can be sent now without overflowing the controller's buffer."""
        return self.waiting_bytes + len(line) + 1 <= RX_BYTES

    def line(self, line: str) -> bytes:
        """Return what to send for a line, which counts as sent. Raises LineTooLong where it does not fit."""
        if not self.fits(line):
            raise LineTooLong(f"{line!r}: {self.waiting_bytes} of {RX_BYTES} bytes are in use; wait for ok")
        data = line.encode("ascii") + b"\n"
        self._sent.append(line)
        return data

    def take(self, data: bytes) -> list[Event]:
        """Return what these bytes say."""
        return [self._event(line) for line in self._cutter.take(data)]

    def forget(self) -> None:
        """Begin anew, as after a reset: no line is answered any more."""
        self._cutter.forget()
        self._sent.clear()
        self._offset = None

    def _event(self, line: str | Garbled) -> Event:
        if isinstance(line, Garbled):
            return line
        garbled = Garbled(line.encode("ascii"))
        if line == "ok":
            return Done(self._sent.popleft()) if self._sent else garbled
        if (found := re.fullmatch(r"error:(\d+)", line)) is not None:
            return Refused(self._sent.popleft(), int(found[1])) if self._sent else garbled
        if (found := re.fullmatch(r"ALARM:(\d+)", line)) is not None:
            return Alarmed(int(found[1]))
        if line.startswith("<"):
            return self._report(line) or garbled
        if (found := SETTING.fullmatch(line)) is not None:
            return Setting(int(found[1]), found[2])
        if STARTUP.fullmatch(line) is not None:
            return StartupLine(line)
        if (found := MESSAGE.fullmatch(line)) is not None:
            return Message(found[1], found[2])
        if (found := BANNER.fullmatch(line)) is not None:
            self._sent.clear()
            self._offset = None
            return Started(found[2])
        return garbled

    def _report(self, line: str) -> Report | None:
        found = REPORT.fullmatch(line)
        if found is None or found[1] not in STATES:
            return None
        fields = dict(part.split(":", 1) for part in found[3].split("|")[1:])
        positions = {name: _numbers(fields[name]) for name in ("MPos", "WPos", "WCO") if name in fields}
        if None in positions.values() or not positions.keys() & {"MPos", "WPos"}:
            return None
        self._offset = positions.get("WCO", self._offset)
        machine = positions.get("MPos")
        work = positions.get("WPos")
        if machine is None and work is not None and self._offset is not None and len(work) == len(self._offset):
            machine = tuple(w + o for w, o in zip(work, self._offset, strict=True))
        return Report(found[1], None if found[2] is None else int(found[2]), machine, fields)


def _numbers(text: str) -> tuple[float, ...] | None:
    if NUMBERS.fullmatch(text) is None:
        return None
    return tuple(float(number) for number in text.split(","))


def jog(letter: str, target: float, feed_min: float) -> str:
    """Return the line that moves to a place of the machine, in its units, at so many units a minute.

    Absolute: what is sent twice moves once. A jog may be cancelled without a reset, and leaves every mode alone.
    """
    return f"$J=G90G21G53{letter}{target:.4f}F{feed_min:.2f}"
