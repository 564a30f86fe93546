"""What a finger means: from the edges of a contact that bounces to presses, in order and by their own times.

Pure: edges and the time go in, presses come out. However late somebody looks, a press is as long as it was.
gpiozero's own debouncing is not used, since it loses edges: a button then seems held after it was let go
(gpiozero issues 550, 697 and 1039).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Press(StrEnum):
    """What a finger did, told as soon as it is sure."""

    SHORT = "short"
    """Let go before the hold time."""
    DOUBLE = "double"
    """The second of two short ones. The first was told as SHORT already: nothing waits for a second one."""
    HELD = "held"
    """The hold time is over and the finger is still there: a warning is due."""
    LET_GO = "let go"
    """The finger left during the warning: nothing is meant."""
    LONG = "long"
    """The finger stayed through the warning."""
    STUCK = "stuck"
    """No finger stays so long, or nobody saw the contact close. It means nothing until it is let go."""
    CHATTERING = "chattering"
    """The contact opens and closes without rest. It means nothing until it rests, open."""
    FREED = "freed"
    """What was stuck or chattered rests open: the button works again."""


@dataclass(frozen=True)
class PressTimes:
    """How long is long."""

    debounce_s: float = 0.02
    """A contact counts once it has rested for so long; shorter pulses are bounces."""
    hold_s: float = 1.5
    """From the closing of the contact to the warning."""
    warn_s: float = 1.5
    """How long the warning lasts before a long press acts."""
    stuck_s: float = 30.0
    """Longer than hold and warning together."""
    double_s: float = 0.5
    """From one letting go to the next, where both together are a double press; 0: never."""


@dataclass(frozen=True)
class Settled:
    """The contact has come to rest, other than before."""

    closed: bool
    at_s: float
    """Of the last bounce."""


class Contact:
    """A contact that bounces. Times are seconds of one clock and never go back."""

    def __init__(self, rest_s: float, closed: bool, now_s: float) -> None:
        """How it is found counts as settled."""
        self._rest_s = rest_s
        self.closed = self._level = closed
        self._edge_s = now_s - rest_s
        self._restless_since_s = now_s

    def edge(self, closed: bool, at_s: float) -> None:
        """Take the next edge, after a look at what became sure before it."""
        if self.rests(at_s):
            self._restless_since_s = at_s
        self._level, self._edge_s = closed, at_s

    def look(self, now_s: float) -> Settled | None:
        """Return what has become sure, when there was no further edge until now."""
        if not self.unsettled or not self.rests(now_s):
            return None
        self.closed = self._level
        return Settled(self.closed, self._edge_s)

    @property
    def unsettled(self) -> bool:
        """Whether its last edge left it other than it settled."""
        return self._level != self.closed

    def rests(self, now_s: float) -> bool:
        """Whether it has not moved for long enough to count."""
        return now_s >= self.settles_s

    @property
    def restless_s(self) -> float:
        """From the first to the latest edge of a flurry without rest."""
        return self._edge_s - self._restless_since_s

    def sure_until_s(self, now_s: float) -> float:
        """Return until when it certainly was as it settled: now, or when it last moved away from that."""
        return self._edge_s if self.unsettled else now_s

    @property
    def settles_s(self) -> float:
        """When it will have rested for long enough, unless it moves again."""
        return self._edge_s + self._rest_s


class Presses:
    """Turns edges into presses."""

    def __init__(self, times: PressTimes, closed: bool, now_s: float) -> None:
        """`closed` is how the contact is found."""
        self._times = times
        self._contact = Contact(times.debounce_s, closed, now_s)
        self._due: deque[tuple[float, Press]] = deque()
        """What the contact will mean at which times, if it stays closed."""
        self._ignored = False
        self._short_at_s: float | None = None
        """When a press was let go that may be the first of two."""
        if closed:
            self._due.append((now_s, Press.STUCK))

    def edge(self, closed: bool, at_s: float) -> list[Press]:
        """Take the next edge; returns what became sure before it."""
        presses = self.look(at_s)
        self._contact.edge(closed, at_s)
        if not self._ignored and self._contact.restless_s >= self._times.stuck_s:
            self._ignore()
            presses.append(Press.CHATTERING)
        return presses

    def look(self, now_s: float) -> list[Press]:
        """Return what has become sure, when there was no further edge until now."""
        return list(self._sure(self._contact.look(now_s), now_s))

    def next_s(self) -> float | None:
        """Return when something may become sure without another edge; None: never."""
        if self._contact.unsettled or (self._ignored and not self._contact.closed):
            return self._contact.settles_s
        return self._due[0][0] if self._due else None

    def _sure(self, settled: Settled | None, now_s: float) -> Iterator[Press]:
        if self._ignored:
            if not self._contact.closed and self._contact.rests(now_s):
                self._ignored = False
                yield Press.FREED
            return
        if settled is not None and settled.closed:
            held_s = settled.at_s + self._times.hold_s
            self._due.append((held_s, Press.HELD))
            self._due.append((held_s + self._times.warn_s, Press.LONG))
            self._due.append((settled.at_s + self._times.stuck_s, Press.STUCK))
        if settled is not None and not settled.closed:
            yield from self._opened(settled.at_s, now_s)
        else:
            yield from self._passed(self._contact.sure_until_s(now_s))

    def _opened(self, at_s: float, now_s: float) -> Iterator[Press]:
        yield from self._passed(at_s)
        if self._ignored:
            yield from self._sure(None, now_s)
        elif self._due[0][1] is Press.HELD:
            yield self._short(at_s)
        elif self._due[0][1] is Press.LONG:
            yield Press.LET_GO
        self._due.clear()

    def _short(self, at_s: float) -> Press:
        first_s, self._short_at_s = self._short_at_s, at_s
        if first_s is None or at_s - first_s > self._times.double_s:
            return Press.SHORT
        self._short_at_s = None
        return Press.DOUBLE

    def _passed(self, until_s: float) -> Iterator[Press]:
        while self._due and self._due[0][0] <= until_s:
            _, press = self._due.popleft()
            if press is Press.STUCK:
                self._ignore()
            yield press

    def _ignore(self) -> None:
        self._ignored = True
        self._due.clear()
