"""The language of a simple turntable, as its configuration tells it: one command, one line of answer."""

import re
from dataclasses import dataclass

from drivers.gcode.lines import Garbled, LineCutter

ERROR, OTHER = "error", "other"


@dataclass(frozen=True)
class Reply:
    """The line that was expected."""

    text: str
    values: dict[str, float]
    """Numbers of its named groups."""


@dataclass(frozen=True)
class Refused:
    """The line that says no."""

    text: str


@dataclass(frozen=True)
class Unasked:
    """A line that is no answer to what was asked: a byte may have been lost in it."""

    text: str


Event = Reply | Refused | Unasked | Garbled


class TableCodec:
    """One conversation: one command at a time is under way."""

    def __init__(self, error_reply: str, line_end: str = "\n") -> None:
        self._cutter = LineCutter()
        self._error = re.compile(error_reply)
        self._line_end = line_end
        self._expected: re.Pattern[str] | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._expected is not None

    def line(self, command: str, reply: str) -> bytes:
        """Return what to send for a command that this reply answers."""
        self._expected = re.compile(reply)
        return (command + self._line_end).encode("ascii")

    def take(self, data: bytes) -> list[Event]:
        """Return what these bytes say."""
        return [self._event(line) for line in self._cutter.take(data)]

    def forget(self) -> None:
        """Expect nothing any more."""
        self._cutter.forget()
        self._expected = None

    def _event(self, line: str | Garbled) -> Event:
        if isinstance(line, Garbled):
            return line
        line = line.strip()
        if self._expected is not None and (found := self._expected.fullmatch(line)) is not None:
            try:
                values = {name: float(text) for name, text in found.groupdict().items() if text is not None}
            except ValueError:
                return Garbled(line.encode("ascii"))
            self._expected = None
            return Reply(line, values)
        if self._error.fullmatch(line):
            self._expected = None
            return Refused(line)
        return Unasked(line)
