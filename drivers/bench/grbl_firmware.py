"""A GRBL 1.1 controller as its interface document describes it, with one motor or more. Standard library only."""

import re
from collections.abc import Callable

from drivers.bench.grbl_block import GrblBlock, Refused, read_block, read_jog
from drivers.bench.grbl_homing import GrblHoming, HomingStep
from drivers.bench.grbl_report import BLOCKS, RX_BYTES, StatusReports
from drivers.bench.grbl_settings import GrblBuild, GrblSettings
from drivers.bench.serial_firmware import SerialFirmware
from drivers.bench.serial_motor import AtSwitch, Pulse, no_switch
from drivers.bench.serial_motors import MotorBuild

LINE_LETTERS = 80
BANNER = "\r\nGrbl 1.1h ['$' for help]\r\n"
UNLOCK = "[MSG:'$H'|'$X' to unlock]\r\n"
HELP = "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n"


class GrblFirmware(SerialFirmware):
    """Its states and its lines, those that act at once and those that wait in its buffer."""

    def __init__(
        self,
        now_s: Callable[[], float],
        pulse: Pulse,
        build: GrblBuild | None = None,
        at_switch: AtSwitch = no_switch,
    ) -> None:
        """A controller that was just switched on: its banner comes first."""
        self.build = build or GrblBuild()
        first = MotorBuild(self.build.letter, self.build.steps_per_unit, pulse, at_switch)
        super().__init__(now_s, first, *self.build.beside)
        self._settings = GrblSettings(self.build)
        self._reports = StatusReports(self._settings, self.motors)
        self._asked = False
        self.power_on()

    def power_on(self) -> None:
        """Start from nothing, as after the supply came back."""
        self.motors.power_on()
        self.state = "Alarm" if self._settings.flag(22) else "Idle"
        self._begin()

    def receive(self, data: bytes) -> None:
        """Take what came on the line. Real-time characters act at once, the rest waits in the buffer."""
        for byte in data:
            if byte in b"?!~\x18" or byte >= 0x80:
                self._realtime(byte)
            elif len(self._buffer) < RX_BYTES:
                self._buffer.append(byte)
        self._work()

    def _go_on(self) -> None:
        self._watch()
        self._work()
        if self._asked and self.state != "Home":
            self._asked = False
            now_s = self._now_s()
            met = "".join(letter for letter, at_switch in self.motors.at_switch.items() if at_switch(now_s))
            self._out += self._reports.report(
                self.state, self._work_offsets, waiting_bytes=len(self._buffer), met=met
            )

    def alarm(self, number: int = 1) -> None:
        """Have a limit switch, or whatever has this number, stop everything."""
        self.motors.let_go()
        self.state = "Alarm"
        self._locked = number in (1, 2)
        self._out += f"ALARM:{number}\r\n"
        if self._locked:
            self._out += "[MSG:Reset to continue]\r\n"

    def reset(self) -> None:
        """Be reset in the middle of whatever it does, as by its button or 0x18."""
        if self.motors.moving or self.state == "Home":
            self.motors.let_go()
            self._out += "ALARM:6\r\n" if self.state == "Home" else "ALARM:3\r\n"
            self.state = "Alarm"
        elif self.state in ("Alarm", "Sleep"):
            self.state = "Alarm"
        else:
            self.motors.drop()
            self.state = "Idle"
        self._begin()

    def _begin(self) -> None:
        self._buffer.clear()
        self._asked = self._locked = self._hold_ends_jog = False
        self._reports.tell_offset_next()
        self._homing: GrblHoming | None = None
        self._to_home: list[str] = []
        self._absolute, self._feed_min, self._motion = True, 0.0, 0.0
        self._work_offsets = dict.fromkeys(self.motors.by_letter, 0.0)
        self._idle_since_s: float | None = None
        self._out += BANNER
        if self.state == "Alarm":
            self._out += UNLOCK

    def _realtime(self, byte: int) -> None:
        match byte:
            case 0x3F:
                self._asked = True
            case 0x18:
                self.reset()
            case 0x21 if self.state in ("Run", "Jog"):
                self._hold_ends_jog = self.state == "Jog"
                self.motors.hold()
                if not self._hold_ends_jog:
                    self.state = "Hold:1"
            case 0x85 if self.state == "Jog":
                self._hold_ends_jog = True
                self.motors.hold()
            case 0x7E if self.state == "Hold:0":
                self.motors.resume()
                self.state = "Run"

    def _watch(self) -> None:
        """What changes by itself as time passes."""
        if self.state == "Home" and self._homing is not None:
            self._go_on_homing(self._homing)
        elif self.state in ("Run", "Jog", "Hold:1") and not self.motors.moving:
            if self.state == "Hold:1":
                self.state = "Hold:0"
            else:
                self.motors.drop()
                self.state, self._hold_ends_jog = "Idle", False
        self._rest()

    def _rest(self) -> None:
        """Without $1=255 the current ends so many milliseconds after a motion."""
        if self.state != "Idle" or self._settings[1] == "255":
            self._idle_since_s = None
            return
        if self._idle_since_s is None:
            self._idle_since_s = self._now_s()
        if self._now_s() - self._idle_since_s >= self._settings.value(1) / 1000:
            self.motors.energise(False)

    def _work(self) -> None:
        """Carry out the lines that are there; a full planner or a homing cycle lets them wait.

        Carriage return and line feed each end a line, so that both together are answered twice.
        """
        while self.state not in ("Home", "Sleep") and not self._locked and self.motors.queued < BLOCKS:
            end = next((place for place, byte in enumerate(self._buffer) if byte in b"\r\n"), None)
            if end is None:
                return
            line = bytes(self._buffer[:end]).decode("latin-1")
            if any(letter in line and self.motors.busy_beside(letter) for letter in self.motors.by_letter):
                return
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
        if (one := re.fullmatch(r"\$H([A-Z])", text)) is not None and one[1] in self.motors.by_letter:
            self._begin_homing([one[1]])
            return ""
        match text:
            case "$":
                return f"{HELP}ok\r\n"
            case "$$":
                self._need_idle()
                return self._settings.listed() + "ok\r\n"
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
                self._begin_homing(list(self.motors.by_letter))
                return ""
            case "$SLP":
                self._need_idle()
                self.motors.let_go()
                self.state = "Sleep"
                return "ok\r\n[MSG:Sleeping]\r\n"
        raise Refused(3)

    def _need_idle(self) -> None:
        if self.state not in ("Idle", "Alarm"):
            raise Refused(8)

    def _set(self, number: int, value: str) -> str:
        self._need_idle()
        self._settings.take(number, value)
        for letter, motor in self.motors.by_letter.items():
            motor.steps_per_unit = self._settings.of_axis(100, letter)
        return "ok\r\n"

    def _jog(self, text: str) -> str:
        if self.state not in ("Idle", "Jog"):
            raise Refused(9 if self.state == "Alarm" else 8)
        jog = read_jog(text)
        letter = self.motors.letter_in(jog.values)
        if letter is None:
            return "ok\r\n"
        goal = self._goal(letter, jog, 91.0 not in jog.codes and (self._absolute or 90.0 in jog.codes))
        if self._settings.flag(20) and not self._within(letter, goal):
            raise Refused(15)
        if self._go(letter, goal, jog.values["F"]):
            self.state = "Jog"
        return "ok\r\n"

    def _block(self, text: str) -> None:
        block = read_block(text)
        codes, values = block.codes, block.values
        self._absolute = (self._absolute or 90.0 in codes) and 91.0 not in codes
        self._feed_min = values.get("F", self._feed_min)
        letter = self.motors.letter_in(values)
        if 92.0 in codes:
            if letter is not None:
                self._work_offsets[letter] = self.motors.by_letter[letter].planned - values[letter]
                self._reports.tell_offset_next()
            return
        self._motion = next((code for code in (0.0, 1.0) if code in codes), self._motion)
        if letter is None or codes & {4.0, 10.0}:
            return
        if self._motion == 1.0 and self._feed_min <= 0:
            raise Refused(22)
        goal = self._goal(letter, block, self._absolute)
        if self._settings.flag(20) and not self._within(letter, goal):
            self._out += "ok\r\n"
            self.alarm(2)
            return
        if self._go(letter, goal, self._settings.of_axis(110, letter) if self._motion == 0.0 else self._feed_min):
            self.state = "Run"

    def _goal(self, letter: str, block: GrblBlock, absolute: bool) -> float:
        here, value = self.motors.by_letter[letter].planned, block.place(letter)
        if value is None:
            return here
        if not absolute:
            return here + value
        return value if 53.0 in block.codes else value + self._work_offsets[letter]

    def _within(self, letter: str, goal: float) -> bool:
        return -self._settings.of_axis(130, letter) <= goal <= 0

    def _go(self, letter: str, goal: float, feed_min: float) -> bool:
        motor = self.motors.by_letter[letter]
        motor.acceleration = self._settings.of_axis(120, letter)
        if round(goal * motor.steps_per_unit) == round(motor.planned * motor.steps_per_unit):
            return False
        self.motors.energise(True)
        motor.go(goal, min(feed_min, self._settings.of_axis(110, letter)) / 60)
        return True

    def _begin_homing(self, letters: list[str]) -> None:
        """One axis after the other looks for its switch."""
        if not self._settings.flag(22):
            raise Refused(5)
        self._need_idle()
        self.state = "Home"
        self._to_home = letters
        self._home_next()

    def _home_next(self) -> None:
        self._homing = GrblHoming(self._settings, self.motors, self._to_home.pop(0))

    def _go_on_homing(self, homing: GrblHoming) -> None:
        match homing.go_on():
            case HomingStep.DONE if self._to_home:
                self._home_next()
            case HomingStep.DONE:
                self._homing = None
                self.state = "Idle"
                self._out += "ok\r\n"
            case HomingStep.NO_SWITCH:
                self._homing = None
                self.alarm(9)
