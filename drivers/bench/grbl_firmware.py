"""A GRBL 1.1 controller as its interface document describes it, turning one motor. Standard library only."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.bench.serial_motor import AtSwitch, Pulse, SerialMotor, no_switch

RX_BYTES = 128
LINE_LETTERS = 80
BLOCKS = 15
LETTERS = "XYZABC"
BANNER = "\r\nGrbl 1.1h ['$' for help]\r\n"
UNLOCK = "[MSG:'$H'|'$X' to unlock]\r\n"
WORD = re.compile(r"([A-Z])([-+]?\d*\.?\d*)")
JOGGABLE = {20.0, 21.0, 53.0, 90.0, 91.0}
KNOWN_G = {0.0, 1.0, 4.0, 10.0, 17.0, 20.0, 21.0, 28.0, 40.0, 49.0, 53.0, 54.0, 80.0, 90.0, 91.0, 92.0, 94.0}
KNOWN_M = {0.0, 2.0, 3.0, 4.0, 5.0, 8.0, 9.0, 30.0}


class Refused(Exception):
    """`error:N`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class GrblBuild:
    """How the simulated controller is built and set."""

    letter: str = "X"
    steps_per_unit: float = 80.0
    speed_min: float = 500.0
    """Units per minute: $110."""
    acceleration: float = 10.0
    """Units per second squared: $120."""
    travel: float = 200.0
    homing: bool = False
    soft_limits: bool = False
    axes: int = 3
    settings: dict[int, str] = field(default_factory=dict)
    """Others than these and GRBL's own defaults."""


class GrblFirmware:
    """Bytes in by `receive`, bytes out by `advance`, which has to be called often."""

    def __init__(
        self,
        now_s: Callable[[], float],
        pulse: Pulse,
        build: GrblBuild | None = None,
        at_switch: AtSwitch = no_switch,
    ) -> None:
        """A controller that was just switched on: its banner comes first."""
        self.build = build or GrblBuild()
        self._at_switch = at_switch
        self._number = LETTERS.index(self.build.letter)
        self._axes = max(self.build.axes, self._number + 1)
        self._settings = _settings(self.build, self._axes, self._number)
        self._now_s = now_s
        self.motor = SerialMotor(now_s, self.build.steps_per_unit, pulse)
        self._out = ""
        self._asked = False
        self.power_on()

    @property
    def enabled(self) -> bool:
        """Whether the motor has current."""
        return self.motor.enabled

    @property
    def moving(self) -> bool:
        """Whether anything turns."""
        return self.motor.moving

    def power_on(self) -> None:
        """Start from nothing, as after the supply came back."""
        self.motor.drop()
        self.motor.place(0.0)
        self.motor.enabled = False
        self.state = "Alarm" if self._flag(22) else "Idle"
        self._work_offset = 0.0
        self._begin()

    def opened(self) -> None:
        """Somebody opened the port: boards with a serial chip are reset by its DTR line."""
        self.power_on()

    def closed(self) -> None:
        """Nobody listens any more; the controller does not notice."""

    def receive(self, data: bytes) -> None:
        """Take what came on the line. Real-time characters act at once, the rest waits in the buffer."""
        for byte in data:
            if byte in b"?!~\x18" or byte >= 0x80:
                self._realtime(byte)
            elif len(self._buffer) < RX_BYTES:
                self._buffer.append(byte)
        self._work()

    def advance(self) -> bytes:
        """Let time pass, and return what the controller sent meanwhile."""
        self.motor.advance()
        self._watch()
        self._work()
        if self._asked and self.state != "Home":
            self._asked = False
            self._out += self._report()
        out, self._out = self._out, ""
        return out.encode("latin-1")

    def alarm(self, number: int = 1) -> None:
        """Have a limit switch, or whatever has this number, stop everything."""
        self.motor.drop()
        self.motor.enabled = False
        self.state = "Alarm"
        self._locked = number in (1, 2)
        self._out += f"ALARM:{number}\r\n"
        if self._locked:
            self._out += "[MSG:Reset to continue]\r\n"

    def reset(self) -> None:
        """Be reset in the middle of whatever it does, as by its button or 0x18."""
        if self.motor.moving or self.state == "Home":
            self.motor.drop()
            self.motor.enabled = False
            self._out += "ALARM:6\r\n" if self.state == "Home" else "ALARM:3\r\n"
            self.state = "Alarm"
        elif self.state in ("Alarm", "Sleep"):
            self.state = "Alarm"
        else:
            self.motor.drop()
            self.state = "Idle"
        self._begin()

    def _begin(self) -> None:
        self._buffer = bytearray()
        self._asked = self._locked = self._hold_ends_jog = False
        self._reports_to_offset = 0
        self._homing: Callable[[], None] | None = None
        self._absolute, self._feed_min, self._motion = True, 0.0, 0.0
        self._work_offset = 0.0
        self._idle_since_s: float | None = None
        self._out += BANNER
        if self.state == "Alarm":
            self._out += UNLOCK

    def _flag(self, number: int) -> bool:
        return float(self._settings[number]) != 0

    def _axis_setting(self, hundred: int) -> float:
        return float(self._settings[hundred + self._number])

    def _realtime(self, byte: int) -> None:
        match byte:
            case 0x3F:
                self._asked = True
            case 0x18:
                self.reset()
            case 0x21 if self.state in ("Run", "Jog"):
                self._hold_ends_jog = self.state == "Jog"
                self.motor.hold()
                if not self._hold_ends_jog:
                    self.state = "Hold:1"
            case 0x85 if self.state == "Jog":
                self._hold_ends_jog = True
                self.motor.hold()
            case 0x7E if self.state == "Hold:0":
                self.motor.resume()
                self.state = "Run"

    def _watch(self) -> None:
        """What changes by itself as time passes."""
        if self.state == "Home" and self._homing is not None:
            self._homing()
        elif self.state in ("Run", "Jog", "Hold:1") and not self.motor.moving:
            if self.state == "Hold:1":
                self.state = "Hold:0"
            else:
                self.motor.drop()
                self.state, self._hold_ends_jog = "Idle", False
        self._rest()

    def _rest(self) -> None:
        """Without $1=255 the current ends so many milliseconds after a motion."""
        if self.state != "Idle" or self._settings[1] == "255":
            self._idle_since_s = None
            return
        if self._idle_since_s is None:
            self._idle_since_s = self._now_s()
        if self._now_s() - self._idle_since_s >= float(self._settings[1]) / 1000:
            self.motor.enabled = False

    def _work(self) -> None:
        """Carry out the lines that are there; a full planner or a homing cycle lets them wait.

        Carriage return and line feed each end a line, so that both together are answered twice.
        """
        while self.state not in ("Home", "Sleep") and not self._locked and self.motor.queued < BLOCKS:
            end = next((place for place, byte in enumerate(self._buffer) if byte in b"\r\n"), None)
            if end is None:
                return
            line = bytes(self._buffer[:end]).decode("latin-1")
            del self._buffer[: end + 1]
            self._answer(line)

    def _answer(self, line: str) -> None:
        text = re.sub(r"\([^)]*\)|;.*|\s", "", line).upper()
        try:
            if len(line) >= LINE_LETTERS:
                raise Refused(11)
            if text.startswith("$"):
                reply = self._system(text)
            elif text:
                if self.state in ("Alarm", "Jog"):
                    raise Refused(9)
                self._block(text)
                reply = "ok\r\n"
            else:
                reply = "ok\r\n"
        except Refused as refused:
            reply = f"error:{refused.number}\r\n"
        self._out += reply

    def _system(self, text: str) -> str:
        if text.startswith("$J="):
            return self._jog(text[3:])
        if (setting := re.fullmatch(r"\$(\d+)=([\d.]+)", text)) is not None:
            return self._set(int(setting[1]), setting[2])
        match text:
            case "$":
                return "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\nok\r\n"
            case "$$":
                self._need_idle()
                return (
                    "".join(f"${number}={value}\r\n" for number, value in sorted(self._settings.items())) + "ok\r\n"
                )
            case "$I":
                return "[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\nok\r\n"
            case "$G":
                distance = "G90" if self._absolute else "G91"
                return f"[GC:G0 G54 G17 G21 {distance} G94 M5 M9 T0 F{self._feed_min:g} S0]\r\nok\r\n"
            case "$X":
                if self.state == "Alarm":
                    self.state = "Idle"
                    return "[MSG:Caution: Unlocked]\r\nok\r\n"
                return "ok\r\n"
            case "$H":
                self._begin_homing()
                return ""
            case "$SLP":
                self._need_idle()
                self.motor.drop()
                self.motor.enabled = False
                self.state = "Sleep"
                return "ok\r\n[MSG:Sleeping]\r\n"
        raise Refused(3)

    def _need_idle(self) -> None:
        if self.state not in ("Idle", "Alarm"):
            raise Refused(8)

    def _set(self, number: int, value: str) -> str:
        self._need_idle()
        if number not in self._settings:
            raise Refused(3)
        if number == 20 and float(value) and not self._flag(22):
            raise Refused(10)
        self._settings[number] = value
        self.motor.steps_per_unit = self._axis_setting(100)
        return "ok\r\n"

    def _jog(self, text: str) -> str:
        if self.state not in ("Idle", "Jog"):
            raise Refused(9 if self.state == "Alarm" else 8)
        words = _words(text)
        codes = {number for letter, number in words if letter == "G"}
        if not codes <= JOGGABLE or any(letter not in f"G{LETTERS}F" for letter, _ in words):
            raise Refused(16)
        values = _values(words)
        if "F" not in values:
            raise Refused(22)
        if not any(letter in values for letter in LETTERS):
            raise Refused(26)
        goal = self._goal(values, codes, 91.0 not in codes and (self._absolute or 90.0 in codes))
        if self._flag(20) and not self._within(goal):
            raise Refused(15)
        if self._go(goal, values["F"]):
            self.state = "Jog"
        return "ok\r\n"

    def _block(self, text: str) -> None:
        words = _words(text)
        codes = {number for letter, number in words if letter == "G"}
        orders = {number for letter, number in words if letter == "M"}
        if not codes <= KNOWN_G or not orders <= KNOWN_M:
            raise Refused(20)
        values = _values(words)
        self._absolute = (self._absolute or 90.0 in codes) and 91.0 not in codes
        self._feed_min = values.get("F", self._feed_min)
        if 92.0 in codes:
            if self.build.letter in values:
                self._work_offset = self.motor.planned - values[self.build.letter]
                self._reports_to_offset = 0
            return
        self._motion = next((code for code in (0.0, 1.0) if code in codes), self._motion)
        if self.build.letter not in values or codes & {4.0, 10.0}:
            return
        if self._motion == 1.0 and self._feed_min <= 0:
            raise Refused(22)
        goal = self._goal(values, codes, self._absolute)
        if self._flag(20) and not self._within(goal):
            self._out += "ok\r\n"
            self.alarm(2)
            return
        if self._go(goal, self._axis_setting(110) if self._motion == 0.0 else self._feed_min):
            self.state = "Run"

    def _goal(self, values: dict[str, float], codes: set[float], absolute: bool) -> float:
        scale = 25.4 if 20.0 in codes else 1.0
        here = self.motor.planned
        if self.build.letter not in values:
            return here
        value = values[self.build.letter] * scale
        if not absolute:
            return here + value
        return value if 53.0 in codes else value + self._work_offset

    def _within(self, goal: float) -> bool:
        return -self._axis_setting(130) <= goal <= 0

    def _go(self, goal: float, feed_min: float) -> bool:
        self.motor.acceleration = self._axis_setting(120)
        if round(goal * self.motor.steps_per_unit) == round(self.motor.planned * self.motor.steps_per_unit):
            return False
        self.motor.go(goal, min(feed_min, self._axis_setting(110)) / 60)
        return True

    def _begin_homing(self) -> None:
        if not self._flag(22):
            raise Refused(5)
        self._need_idle()
        self.state = "Home"
        self.motor.place(0.0)
        self.motor.acceleration = self._axis_setting(120)
        way = -1.0 if int(float(self._settings[23])) >> self._number & 1 else 1.0
        self.motor.seek(way * 1.5 * self._axis_setting(130), float(self._settings[25]) / 60, self._at_switch)
        self._homing = lambda: self._search(way)

    def _search(self, way: float) -> None:
        if self.motor.found:
            self.motor.go(self.motor.position - way * float(self._settings[27]), float(self._settings[24]) / 60)
            self._homing = lambda: self._pulled_off(way)
        elif not self.motor.moving:
            self._homing = None
            self.alarm(9)

    def _pulled_off(self, way: float) -> None:
        if self.motor.moving:
            return
        self._homing = None
        pull_off = float(self._settings[27])
        self.motor.place(-pull_off if way > 0 else pull_off - self._axis_setting(130))
        self.state = "Idle"
        self._out += "ok\r\n"

    def _report(self) -> str:
        mask = int(self._settings[10])
        machine = [0.0] * self._axes
        machine[self._number] = self.motor.position
        offset = [0.0] * self._axes
        offset[self._number] = self._work_offset
        shown = machine if mask & 1 else [m - o for m, o in zip(machine, offset, strict=True)]
        fields = [self.state, ("MPos:" if mask & 1 else "WPos:") + _numbers(shown)]
        if mask & 2:
            fields.append(f"Bf:{BLOCKS - self.motor.queued},{RX_BYTES - len(self._buffer)}")
        fields.append(f"FS:{abs(self.motor.speed) * 60:.0f},0")
        if self._at_switch(self._now_s()):
            fields.append(f"Pn:{self.build.letter}")
        if self._reports_to_offset == 0:
            fields.append("WCO:" + _numbers(offset))
            self._reports_to_offset = 10 if self.motor.moving else 30
        self._reports_to_offset -= 1
        return f"<{'|'.join(fields)}>\r\n"


def _words(text: str) -> list[tuple[str, float]]:
    words, at = [], 0
    while at < len(text):
        found = WORD.match(text, at)
        if found is None:
            raise Refused(1)
        try:
            words.append((found[1], float(found[2])))
        except ValueError:
            raise Refused(2) from None
        at = found.end()
    return words


def _values(words: list[tuple[str, float]]) -> dict[str, float]:
    values: dict[str, float] = {}
    for letter, number in words:
        if letter in "GM":
            continue
        if letter in values:
            raise Refused(25)
        values[letter] = number
    return values


def _numbers(values: list[float]) -> str:
    return ",".join(f"{value:.3f}" for value in values)


def _settings(build: GrblBuild, axes: int, number: int) -> dict[int, str]:
    """GRBL 1.1's own defaults, with what the build says of its axis."""
    settings = {0: "10", 1: "25", 2: "0", 3: "0", 4: "0", 5: "0", 6: "0", 10: "1", 11: "0.010", 12: "0.002", 13: "0"}
    settings |= {20: str(int(build.soft_limits)), 21: "0", 22: str(int(build.homing)), 23: "0", 24: "25.000"}
    settings |= {25: "500.000", 26: "250", 27: "1.000", 30: "1000", 31: "0", 32: "0"}
    for axis in range(axes):
        settings |= {100 + axis: "250.000", 110 + axis: "500.000", 120 + axis: "10.000", 130 + axis: "200.000"}
    settings |= {100 + number: f"{build.steps_per_unit:.3f}", 110 + number: f"{build.speed_min:.3f}"}
    settings |= {120 + number: f"{build.acceleration:.3f}", 130 + number: f"{build.travel:.3f}"}
    return settings | build.settings
