"""Talking to Marlin. A move is sent in short pieces, a little ahead of time; who stops sending lets it brake.

Marlin's own quick stop (M410) is abrupt and, without its emergency parser, late; the planner always plans to come to
rest at the end of what it has.
"""

import math
from dataclasses import dataclass, field

from drivers.gcode.lines import Garbled
from drivers.gcode.marlin import (
    Busy,
    Done,
    Event,
    Failed,
    MarlinCodec,
    Position,
    SendAgain,
    Started,
    StepsPerUnit,
    Told,
)
from drivers.patience import Patience
from drivers.protocols import DriverError, LinkBroken
from drivers.serial_link import ANSWER_S, AxisAtPort, Interrupted, PositionLost, SerialLink, WrongDevice

PIECE_S = 0.1
"""Of a move at full speed."""
AHEAD_S = 0.3
"""More than braking takes: what a busy Pi may be late."""
BLOCKS_AHEAD = 8
"""Marlin's planner holds 16."""
MOST_RESENDS = 3
QUIET_S = 0.2
ASK_AGAIN_S = 1.0
SAME_UNITS = 0.011
"""M114 is rounded to 0.01."""
HALF_A_DIGIT = 0.005
"""Of the last one of M92, and of a place in M114."""
HOMING_S = 120.0


@dataclass
class MarlinTalk:
    """One conversation with a controller, for all of its axes."""

    codec: MarlinCodec = field(default_factory=MarlinCodec)
    greeting: bool = True
    ramps: dict[str, float] = field(default_factory=dict)
    """Acceleration of each axis in use."""


class MarlinLink(SerialLink):
    """`SerialLink` in Marlin's language."""

    BAUDS = (115200, 250000, 57600, 500000, 1000000, 9600)
    HALT = b"\nM112\n"

    def __init__(self, at: AxisAtPort, beside: SerialLink | None = None) -> None:
        super().__init__(at, beside)
        self._talk: MarlinTalk = beside._talk if isinstance(beside, MarlinLink) else MarlinTalk()
        self._talk.ramps[self.options.letter] = self.acceleration_units_s2
        self._steps_per_unit: float | None = None

    @property
    def resolution_units(self) -> float:
        """A step, once the controller has said how many make a unit."""
        return 1 / self._steps_per_unit if self._steps_per_unit else 0.01

    def hello(self, patience_s: float) -> bool:
        """Ask who is there until somebody says."""
        heard = b""
        patience, asked = Patience(self.clock, patience_s), Patience(self.clock, 0.0)
        while patience.left_s > 0:
            if asked.left_s <= 0:
                self.port.write(b"\nM115\n")
                asked = Patience(self.clock, ASK_AGAIN_S)
            heard += self.port.read()
            if b"FIRMWARE_NAME:" in heard:
                return True
            if b"error:20" in heard or b"Grbl" in heard:
                name = self.options.name
                raise WrongDevice(f'{self.where}: GRBL answers, not Marlin; set [{name}] driver = "grbl"')
        return False

    def set_up(self) -> None:
        """Count lines from 0, learn the steps, and have it as fast as config.toml says; nothing is stored in it."""
        self._talk.greeting = True
        self._hush()
        self._restart()
        letter, speed, ramp = self.options.letter, self.speed_units_s, self.acceleration_units_s2
        # Of all axes together; M201 says how much less each may have.
        steepest = max(self._talk.ramps.values())
        for event in self._say("M92"):
            if isinstance(event, StepsPerUnit):
                self._steps_per_unit = event.values.get(letter)
        for line in (
            "G21",
            "G90",
            f"M203 {letter}{speed:.3f}",
            f"M201 {letter}{ramp:.3f}",
            f"M204 P{steepest:.3f} T{steepest:.3f}",
        ):
            self._say(line)
        self._say("M84 S0")
        self._talk.greeting = False

    def resync(self) -> None:
        """Let it finish a line that lacks its end, then count anew."""
        self._talk.greeting = True
        self.port.write(b"\n")
        self._hush()
        self._restart()
        self._say("M400", self.move_patience(self.options.units_per_turn).left_s)
        self._talk.greeting = False

    def _restart(self) -> None:
        self.port.write(self._talk.codec.restart())
        self._until_done(ANSWER_S, "M110")

    def _hush(self) -> None:
        """Hear until nobody speaks any more."""
        quiet, patience = Patience(self.clock, QUIET_S), Patience(self.clock, ANSWER_S)
        while quiet.left_s > 0 and patience.left_s > 0:
            if self.port.read():
                quiet = Patience(self.clock, QUIET_S)

    def standing(self) -> float:
        """Two answers that agree, as a digit may be lost on the way."""
        patience, before = Patience(self.clock, ANSWER_S), self._place()
        while patience.left_s > 0:
            place = self._place()
            if place == before:
                return place
            before = place
        raise LinkBroken(f"{self.where}: it does not come to rest")

    def _place(self) -> float:
        letter = self.options.letter
        found = [event for event in self._say("M114") if isinstance(event, Position)]
        if not found or letter not in found[-1].units:
            raise LinkBroken(
                f"{self.where}: M114 does not say where axis {letter} is; check [{self.options.name}] axis"
            )
        planned, steps, per_unit = found[-1].units[letter], found[-1].steps.get(letter), self._steps_per_unit
        if steps is None or not per_unit:
            return planned
        # M92 is told with two digits, which after some turns is more than a step.
        told_to = abs(steps) * HALF_A_DIGIT / per_unit**2
        same = abs(steps / per_unit - planned) <= self.resolution_units + SAME_UNITS + told_to
        return planned if same and told_to > HALF_A_DIGIT else steps / per_unit

    def energise(self) -> None:
        """Hold."""
        self._say(f"M17{self._alone_or_named}")

    def move(self, from_units: float, to_units: float) -> float:
        """Send the pieces in time, wait for the end, and read that it stands there."""
        way, feed_min = to_units - from_units, self.speed_units_s * 60
        ahead_s = self.speed_units_s / self.acceleration_units_s2 + AHEAD_S
        piece_s = max(PIECE_S, ahead_s / BLOCKS_AHEAD)
        pieces = max(1, math.ceil(abs(way) / (self.speed_units_s * piece_s)))
        began_s, sent = self.clock.now_s(), from_units
        for number in range(1, pieces + 1):
            self._wait(began_s + (number - 1) * piece_s - ahead_s)
            if self.wishes.stand_still.is_set():
                break
            sent = from_units + way * number / pieces
            self._say(f"G1 {self.options.letter}{sent:.4f} F{feed_min:.2f}")
        self._say("M400", self.move_patience(way).left_s)
        place = self.standing()
        # A place that was told by G92 lies between two steps, and M114 rounds besides.
        if abs(place - sent) > self.resolution_units + SAME_UNITS:
            raise LinkBroken(
                f"{self.where}: stands at {place:.3f} after a move to {sent:.3f}; check the cable, then Resume"
            )
        return place

    def _wait(self, until_s: float) -> None:
        while self.clock.now_s() < until_s and not self.wishes.stand_still.is_set():
            self._hear()
            if self.wishes.halted.is_set():
                raise Interrupted(f"{self.where}: halted")

    def home(self) -> float:
        """G28 answers once it is done, and says that it is busy until then."""
        self._say(f"G28 {self.options.letter}", HOMING_S)
        return self.standing()

    def release(self) -> None:
        """M18, which waits for the end of what it does."""
        self._say(f"M18{self._alone_or_named}")

    def part(self) -> None:
        """Others are told apart from it no more."""
        self._talk.ramps.pop(self.options.letter, None)

    @property
    def _alone_or_named(self) -> str:
        """Motors are switched together where nobody else uses the board, which every Marlin understands."""
        return "" if len(self._talk.ramps) == 1 else f" {self.options.letter}"

    def after_halt(self) -> None:
        """M112 has switched the motors off; only a reset wakes it, which opening the port again is."""
        raise PositionLost(f"{self.where}: stopped by M112")

    def _say(self, command: str, patience_s: float = ANSWER_S) -> list[Event]:
        """Send a command and return what was said until its `ok`. Raises LinkBroken, DriverError."""
        self.port.write(self._talk.codec.line(command))
        return self._until_done(patience_s, command)

    def _until_done(self, patience_s: float, what: str) -> list[Event]:
        said: list[Event] = []
        resends = 0

        def answered() -> bool:
            nonlocal resends
            for event in (events := self._hear()):
                if isinstance(event, SendAgain):
                    resends += 1
                    if resends > MOST_RESENDS:
                        raise LinkBroken(f"{self.where}: {what!r} came damaged {resends} times; check the cable")
                    self.port.write(event.data)
            said.extend(events)
            unknown = next((event for event in said if isinstance(event, Told) and event.is_unknown_command), None)
            if unknown is not None and what not in ("M92",):
                raise DriverError(f"{self.where}: {unknown.text}; is its firmware built with this command?")
            return any(isinstance(event, Done) for event in events)

        self.until(answered, Patience(self.clock, patience_s), repr(what))
        return said

    def _hear(self) -> list[Event]:
        """Return what has come. Raises LinkBroken for what no Marlin says, and for what costs the position."""
        events = self._talk.codec.take(self.port.read())
        for event in events:
            if isinstance(event, Started) and not self._talk.greeting:
                raise PositionLost(f"{self.where}: it was reset by itself; check its power, then Resume")
            if isinstance(event, Garbled) and not self._talk.greeting:
                raise LinkBroken(f"{self.where}: bytes were lost: {event} came; check the cable, then Resume")
            if isinstance(event, Failed):
                lost = PositionLost if event.is_dead else DriverError
                raise lost(f"{self.where}: Error:{event.text}; see what the table says, switch it off and on")
        return [event for event in events if not isinstance(event, Busy)]
