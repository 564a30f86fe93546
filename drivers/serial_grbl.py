"""Talking to GRBL 1.1 and grblHAL. Moves are jogs: they may be cancelled and keep the position."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from drivers.gcode import grbl
from drivers.gcode.grbl import Alarmed, Done, Event, GrblCodec, Refused, Report, Setting, Started
from drivers.gcode.lines import Garbled
from drivers.patience import Patience
from drivers.protocols import DriverError, LinkBroken, NeedsPerson
from drivers.serial_link import ANSWER_S, OTHER_BAUD_S, AxisAtPort, PositionLost, SerialLink, WrongDevice

ASK_AGAIN_S = 0.25
"""A question mark may go unanswered."""
LOOKS_A_SECOND = 5.0
"""Of a move that is far from its end; GRBL's document asks for no more than 10."""
NEAR_END_S = 0.25
SAME_UNITS = 0.0021
"""Reports are rounded to 0.001."""
HOLD_FOR_EVER = "255"
MOVES_BY_ITSELF = ("Jog", "Run", "Home")
"""States that end in a standstill without another word."""
SAME_SETTING = 0.01
SETTLES_S = 120.0
"""A homing cycle may take so long."""


@dataclass
class GrblTalk:
    """What is known of one controller, by whichever of its axes learnt it."""

    codec: GrblCodec = field(default_factory=GrblCodec)
    settings: dict[int, str] = field(default_factory=dict)
    asleep: bool = False
    greeting: bool = True
    letters: set[str] = field(default_factory=set)
    """Axes in use."""
    holding: set[str] = field(default_factory=set)
    """Of those, whose current has to stay on: it is switched for all of them together."""


class GrblLink(SerialLink):
    """`SerialLink` in GRBL's language."""

    BAUDS = (115200, 250000, 57600, 38400, 19200, 9600)
    HALT = grbl.RESET

    def __init__(self, at: AxisAtPort, beside: SerialLink | None = None) -> None:
        super().__init__(at, beside)
        self._talk: GrblTalk = beside._talk if isinstance(beside, GrblLink) else GrblTalk()
        self._talk.letters.add(self.options.letter)
        self._number = grbl.LETTERS.index(self.options.letter)

    @property
    def resolution_units(self) -> float:
        """A step, once the controller has said how many make a unit."""
        steps = self._float(100) if 100 + self._number in self._talk.settings else 0.0
        return 1 / steps if steps > 0 else 0.001

    @property
    def homes(self) -> bool:
        """As it is set; with several axes at it, its setting is not about this one alone."""
        alone = len(self._talk.letters) == 1
        return float(self._talk.settings.get(22, "0")) != 0 and (alone or self.options.homes)

    def hello(self, patience_s: float) -> bool:
        """Ask until a report or the banner comes; something else that speaks is told."""
        self._talk.codec.forget()
        heard = b""
        patience = Patience(self.clock, patience_s)
        asked = Patience(self.clock, 0.0)
        while patience.left_s > 0:
            if asked.left_s <= 0:
                self.port.write(grbl.QUERY)
                asked = Patience(self.clock, ASK_AGAIN_S)
            data = self.port.read()
            heard += data
            if any(isinstance(event, Report | Started) for event in self._talk.codec.take(data)):
                return True
        self._look_for_marlin(heard)
        return False

    def _look_for_marlin(self, heard: bytes) -> None:
        self.port.write(b"\nM115\n")
        patience = Patience(self.clock, OTHER_BAUD_S)
        while patience.left_s > 0 and b"FIRMWARE_NAME" not in heard:
            heard += self.port.read()
        if b"FIRMWARE_NAME" in heard or b"echo:" in heard:
            raise WrongDevice(f'{self.where}: Marlin answers, not GRBL; set [{self.options.name}] driver = "marlin"')

    def resync(self) -> None:
        """Make a new beginning where it stands."""
        self._talk.greeting = True
        self._begin_anew()
        self._talk.greeting = False

    def _begin_anew(self) -> None:
        """A reset while it rests empties its buffer and keeps its position."""
        self._talk.codec.forget()
        if self._report().state in MOVES_BY_ITSELF:
            self.port.write(grbl.JOG_CANCEL)
            patience = self.move_patience(self.options.units_per_turn)
            self.until(lambda: self._report().stands, patience, "a jog cancel")
        self._talk.codec.forget()
        self.port.write(grbl.RESET)
        self._until_started()
        self._wake(self._report())

    def set_up(self) -> None:
        """Read its settings, and have it as fast as config.toml says.

        What it said before the port was open has come back to it as an echo, by which a line may have begun.
        """
        self._begin_anew()
        for event in self._say("$$"):
            if isinstance(event, Setting):
                self._talk.settings[event.number] = event.value
        self._check()
        self._set(1, HOLD_FOR_EVER, self._talk.settings.get(1) != HOLD_FOR_EVER)
        fastest_min, wanted_min = self._float(110), self.options.speed_units_s * 60
        self._set(110 + self._number, f"{wanted_min:.3f}", fastest_min < wanted_min * (1 - SAME_SETTING / 10))
        ramp, wanted = self._float(120), self.options.acceleration_units_s2
        self._set(120 + self._number, f"{wanted:.3f}", abs(ramp - wanted) > SAME_SETTING * wanted)
        self._talk.greeting = False

    def _check(self) -> None:
        letter = self.options.letter
        if 100 + self._number not in self._talk.settings:
            raise NeedsPerson(f"{self.where}: its GRBL has no axis {letter}; set [{self.options.name}] axis")
        if float(self._talk.settings.get(13, "0")):
            raise NeedsPerson(f"{self.where}: it reports inches; send $13=0 once")

    def _set(self, number: int, value: str, differs: bool) -> None:
        """Its EEPROM bears some 100 000 writes: only what differs."""
        if differs:
            self._say(f"${number}={value}")
            self._talk.settings[number] = value

    def _float(self, hundred: int) -> float:
        return float(self._talk.settings[hundred + self._number])

    def standing(self) -> float:
        """Two reports that agree, as a digit may be lost on the way."""
        self._drain()
        patience = Patience(self.clock, ANSWER_S)
        before: Report | None = None
        while patience.left_s > 0:
            report = self._report()
            if report.stands and before is not None and self._place(report) == self._place(before):
                return self._place(report)
            before = report
        raise LinkBroken(f"{self.where}: it does not come to rest: {before.state if before else 'silent'}")

    def energise(self) -> None:
        """Wake it where it sleeps; its motors hold from the first move on."""
        self._talk.holding.add(self.options.letter)
        if self._talk.asleep:
            self._wake(self._report())

    def move(self, from_units: float, to_units: float) -> float:
        """Jog there, and read in two reports that it stands there."""
        self._say(grbl.jog(self.options.letter, to_units, self.speed_units_s * 60))
        self._until_it_stands(to_units - from_units)
        place = self.standing()
        if not self.wishes.stand_still.is_set() and abs(place - to_units) > self._tolerance:
            raise LinkBroken(
                f"{self.where}: stands at {place:.3f} after a move to {to_units:.3f}: the order came damaged; "
                "check the cable, then Resume"
            )
        return place

    @property
    def _tolerance(self) -> float:
        return max(SAME_UNITS, 1.01 * self.resolution_units)

    def _until_it_stands(self, way_units: float) -> None:
        patience = self.move_patience(way_units)
        ends_s = self.clock.now_s() + self.move_s(way_units)
        cancelled = False
        while True:
            if self.wishes.stand_still.is_set() and not cancelled:
                self.port.write(grbl.JOG_CANCEL)
                cancelled = True
            report = self._report()
            if report.stands:
                return
            if patience.left_s <= 0:
                raise LinkBroken(f"{self.where}: still {report.state} long after the move should have ended")
            if not cancelled:
                self._wait(min(1 / LOOKS_A_SECOND, ends_s - self.clock.now_s() - NEAR_END_S))

    def _wait(self, seconds: float) -> None:
        until_s = self.clock.now_s() + seconds
        while self.clock.now_s() < until_s and not self.wishes.stand_still.is_set():
            self._hear()

    def home(self) -> float:
        """Its homing cycle, which answers nothing until it is done."""
        self._say("$H" if len(self._talk.letters) == 1 else f"$H{self.options.letter}", SETTLES_S)
        return self.standing()

    def release(self) -> None:
        """Sleep is what switches all motors off for good; waking is a reset, which keeps the position."""
        self._talk.holding.discard(self.options.letter)
        if not self._talk.asleep and not self._talk.holding:
            self._say("$SLP")
            self._talk.asleep = True

    def part(self) -> None:
        """Others are told apart from it no more."""
        self._talk.letters.discard(self.options.letter)

    def after_halt(self) -> None:
        """The reset was heard; now sleep."""
        self._talk.holding.clear()
        self._talk.codec.forget()
        self._talk.greeting = True
        self._until_started()
        self._say("$SLP")
        self._talk.greeting, self._talk.asleep = False, True

    def _wake(self, report: Report) -> None:
        """Have it idle, whatever it was in."""
        if report.state not in ("Idle", "Alarm"):
            self._talk.codec.forget()
            self.port.write(grbl.RESET)
            self._until_started()
            report = self._report()
        if report.state == "Alarm":
            self._say("$X")
        self._talk.asleep = False

    def _until_started(self) -> None:
        started = False

        def heard() -> bool:
            nonlocal started
            started |= any(isinstance(event, Started) for event in self._talk.codec.take(self.port.read()))
            return started

        self.until(heard, Patience(self.clock, ANSWER_S), "a reset")

    def _say(self, line: str, patience_s: float = ANSWER_S) -> list[Event]:
        """Send a line and return what was said until its `ok`. Raises LinkBroken, DriverError."""
        self.port.write(self._talk.codec.line(line))
        said: list[Event] = []

        def answered() -> bool:
            events = self._hear()
            for event in events:
                if isinstance(event, Refused):
                    raise self._refusal(event)
            said.extend(events)
            return any(isinstance(event, Done) for event in events)

        self.until(answered, Patience(self.clock, patience_s), repr(line))
        return said

    def _refusal(self, refused: Refused) -> DriverError:
        """A line that the driver never sends like this has been damaged on its way, but for a few."""
        said = f"{self.where}: {refused.line!r} refused: error:{refused.number}, {refused.text}"
        if refused.number == 3 and refused.line.startswith("$H"):
            return DriverError(
                f"{said}; build it with $H for single axes, or set [{self.options.name}] homes = false"
            )
        if refused.number in (5, 10, 12, 13, 15):
            return DriverError(f"{said}; check its settings ($$)")
        return LinkBroken(f"{said}; check the cable, then Resume")

    def _report(self) -> Report:
        """Ask where it is."""
        patience, asked = Patience(self.clock, ANSWER_S), Patience(self.clock, 0.0)
        found: Report | None = None

        def reported() -> bool:
            nonlocal found, asked
            if asked.left_s <= 0:
                self.port.write(grbl.QUERY)
                asked = Patience(self.clock, ASK_AGAIN_S)
            reports = [event for event in self._hear() if isinstance(event, Report) and event.machine is not None]
            found = reports[-1] if reports else None
            return found is not None

        self.until(reported, patience, "?")
        assert found is not None
        return found

    def _place(self, report: Report) -> float:
        """To the step, as far as the report is exact."""
        assert report.machine is not None
        if self._number >= len(report.machine):
            raise NeedsPerson(f"{self.where}: it reports no axis {self.options.letter}")
        return report.machine[self._number]

    def _drain(self) -> None:
        """Hear what was said since the last question. Raises PositionLost where that was a reset."""
        while self._hear():
            pass

    def _hear(self) -> list[Event]:
        """Return what has come. Raises LinkBroken for what no GRBL says, and for what costs the position."""
        events = self._talk.codec.take(self.port.read())
        self._mind(events)
        return events

    def _mind(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Garbled) and not self._talk.greeting:
                raise LinkBroken(f"{self.where}: bytes were lost: {event} came; check the cable, then Resume")
            if isinstance(event, Alarmed) and not self._talk.greeting:
                raise PositionLost(f"{self.where}: ALARM:{event.number}, {event.text}; check the table, then Resume")
            if isinstance(event, Started) and not self._talk.greeting:
                raise PositionLost(f"{self.where}: it was reset by itself; check its power, then Resume")
