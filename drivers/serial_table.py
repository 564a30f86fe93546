"""Talking to a simple turntable in the words of the configuration."""

from drivers.gcode.lines import Garbled
from drivers.gcode.table import Event, Refused, Reply, TableCodec, Unasked
from drivers.options_serial import Phrase
from drivers.patience import Patience
from drivers.protocols import DriverError, LinkBroken
from drivers.serial_link import ANSWER_S, AxisAtPort, PositionLost, SerialLink

SAME_DEG = 0.1
"""A table that says where it is to a tenth of a degree is a good one."""
RESTS_S = 0.06
"""Whatever says the same for so long stands; just before its end a move is slow."""
HOMING_S = 120.0
ASK_AGAIN_S = 1.0
LATEST_ANSWER_S = 1.0
"""What was not said by then to a question that nobody waits for any more got lost."""


class TableLink(SerialLink):
    """`SerialLink` in the configuration's words."""

    BAUDS = (115200, 9600, 57600, 38400, 19200, 250000)
    HALT = b""

    def __init__(self, at: AxisAtPort, beside: SerialLink | None = None) -> None:
        super().__init__(at, beside)
        self._phrases = self.options.phrases
        self._codec = TableCodec(self._phrases.error_reply, self._phrases.line_end)
        self._counted = 0.0
        """Where orders have taken it, for a table that cannot be asked."""
        self._owed = 0
        """Answers that are still to come: one for each command."""

    @property
    def resolution_units(self) -> float:
        """What is taken for the same place."""
        return SAME_DEG * self.options.units_per_deg / 2

    @property
    def homes(self) -> bool:
        """Whether there is a word for it."""
        return self._phrases.home is not None

    def hello(self, patience_s: float) -> bool:
        """Ask where it is; a table that cannot be asked is believed to be there."""
        query = self._phrases.query
        if query is None:
            return True
        patience, asked = Patience(self.clock, patience_s), Patience(self.clock, 0.0)
        self._codec.forget()
        while patience.left_s > 0:
            if asked.left_s <= 0:
                self._send(query.command, query.reply)
                asked = Patience(self.clock, ASK_AGAIN_S)
            if any(isinstance(event, Reply) for event in self._said()):
                return True
        return False

    def set_up(self) -> None:
        """Nothing is known of its settings."""
        self.resync()

    def resync(self) -> None:
        """Hear what is still said to what was asked before: a slow table may owe answers for a while."""
        patience = Patience(self.clock, LATEST_ANSWER_S)
        while self._owed and patience.left_s > 0:
            self._said()
        while self.port.read():
            pass
        self._codec.forget()
        self._owed = 0

    def standing(self) -> float:
        """Two answers that agree, as a digit may be lost on the way."""
        if self._phrases.query is None:
            return self._counted
        return self._rest(Patience(self.clock, ANSWER_S))

    def _ask(self, *, patient: bool = False) -> float:
        query = self._phrases.query
        assert query is not None
        values = self._say(query, ANSWER_S, patient=patient).values
        if "units" in values:
            return values["units"]
        if "angle_deg" not in values:
            raise DriverError(f"{self.where}: its query reply needs a group angle_deg or units: {query.reply!r}")
        return values["angle_deg"] * self.options.units_per_deg

    def energise(self) -> None:
        """Hold, where there is a word for it."""
        if self._phrases.on is not None:
            self._say(self._phrases.on, ANSWER_S)

    def move(self, from_units: float, to_units: float) -> float:
        """Order it, and wait until it says that it stands there, where it can be asked."""
        phrase = self._phrases.move or self._phrases.move_by
        if phrase is None:
            raise DriverError(f"{self.where}: no command moves it; set [{self.options.name}] move_command")
        patience = self.move_patience(to_units - from_units)
        stopped = self._say_stopping(phrase, patience, from_units, to_units)
        if self._phrases.query is None:
            if stopped:
                raise PositionLost(f"{self.where}: stopped on its way, and it cannot be asked where it is")
            self._counted = to_units
            return to_units
        while True:
            # A stop may have overtaken the answer to the order, or the order's was taken for its own.
            place = self._ask(patient=stopped)
            if self.wishes.stand_still.is_set() and not stopped:
                stopped = self._stop()
            same = SAME_DEG * self.options.units_per_deg
            if stopped or abs(place - to_units) <= same:
                place = self._rest(patience)
                if stopped or abs(place - to_units) <= same:
                    return place
            if patience.left_s <= 0:
                raise LinkBroken(
                    f"{self.where}: stands at {place:.2f} long after a move to {to_units:.2f}; "
                    "check cable and table, then Resume"
                )

    def _rest(self, patience: Patience) -> float:
        """Return where it has come to rest: what it said, and says again when it is asked so much later."""
        place, since = self._ask(), Patience(self.clock, RESTS_S)
        while True:
            late_enough = since.left_s <= 0
            now = self._ask()
            if now != place:
                place, since = now, Patience(self.clock, RESTS_S)
            elif late_enough:
                return place
            if patience.left_s <= 0:
                raise LinkBroken(f"{self.where}: it does not come to rest; look at the table, then Resume")

    def _say_stopping(self, phrase: Phrase, patience: Patience, from_units: float, to_units: float) -> bool:
        """Give the order; return whether it was stopped before it was answered."""
        per_deg = self.options.units_per_deg
        by = to_units - from_units
        command = phrase.command.format(
            angle_deg=to_units / per_deg,
            units=to_units,
            by_deg=by / per_deg,
            by_units=by,
            speed_deg_s=self.options.max_speed_deg_s,
        )
        self._send(command, phrase.reply)
        stopped = False

        def answered() -> bool:
            nonlocal stopped
            if self.wishes.stand_still.is_set() and not stopped and self._phrases.stop is not None:
                stopped = self._stop()
                return True
            return self._heard() is not None

        self.until(answered, patience, repr(command))
        return stopped

    def _stop(self) -> bool:
        """Order it to stand; False where there is no word for it, and it goes on to its end."""
        stop = self._phrases.stop
        if stop is None:
            return False
        self._say(stop, ANSWER_S, patient=True)
        return True

    def home(self) -> float:
        """In its own way."""
        assert self._phrases.home is not None
        self._say(self._phrases.home, HOMING_S)
        self._counted = 0.0
        return self.standing()

    def release(self) -> None:
        """Where there is a word for it."""
        if self._phrases.off is not None:
            self._say(self._phrases.off, ANSWER_S)

    def after_halt(self) -> None:
        """Say its words for stop and off, in this order: it has none that works at once."""
        for phrase in (self._phrases.stop, self._phrases.off):
            if phrase is not None:
                self._say(phrase, ANSWER_S, patient=True)

    def _say(self, phrase: Phrase, patience_s: float, *, patient: bool = False) -> Reply:
        """Send a command and return its reply; `patient`: whatever else is said before it."""
        self._send(phrase.command, phrase.reply)
        reply: Reply | None = None

        def answered() -> bool:
            nonlocal reply
            reply = self._heard(patient=patient)
            return reply is not None

        self.until(answered, Patience(self.clock, patience_s), repr(phrase.command))
        assert reply is not None
        return reply

    def _send(self, command: str, reply: str) -> None:
        self.port.write(self._codec.line(command, reply))
        self._owed += 1

    def _said(self) -> list[Event]:
        """Return every line that has come, after a short wait at most."""
        events = self._codec.take(self.port.read())
        self._owed = max(0, self._owed - len(events))
        return events

    def _heard(self, *, patient: bool = False) -> Reply | None:
        for event in self._said():
            if isinstance(event, Reply):
                return event
            if isinstance(event, Refused):
                raise DriverError(f"{self.where}: it refuses: {event.text!r}; check its commands in config.toml")
            if isinstance(event, Garbled | Unasked) and not patient:
                said = event.text if isinstance(event, Unasked) else str(event)
                raise LinkBroken(
                    f"{self.where}: {said!r} is no answer; bytes were lost, check the cable, then Resume"
                )
        return None
