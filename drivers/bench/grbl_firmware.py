"""A GRBL 1.1 controller as its interface document describes it, turning one motor. Standard library only."""

import re
from collections.abc import Callable

from drivers.bench.grbl_block import GrblBlock, Refused, read_block, read_jog
from drivers.bench.grbl_homing import GrblHoming, HomingStep
from drivers.bench.grbl_report import BLOCKS, RX_BYTES, StatusReports
from drivers.bench.grbl_settings import GrblBuild, GrblSettings
from drivers.bench.serial_firmware import SerialFirmware
from drivers.bench.serial_motor import AtSwitch, Pulse, no_switch

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
        super().__init__(now_s, pulse, self.build.steps_per_unit, at_switch)
        self._settings = GrblSettings(self.build)
        self._reports = StatusReports(self._settings, self.build.letter, self.motor)
        self._asked = False
        self._work_offset = 0.0
        self.power_on()

    def power_on(self) -> None:
        """Start from nothing, as after the supply came back."""
        self.motor.let_go()
        self.motor.place(0.0)
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
            at_switch = self._at_switch(self._now_s())
            self._out += self._reports.report(
                self.state, self._work_offset, waiting_bytes=len(self._buffer), at_switch=at_switch
            )

    def alarm(self, number: int = 1) -> None:
        """Have a limit switch, or whatever has this number, stop everything."""
        self.motor.let_go()
        self.state = "Alarm"
        self._locked = number in (1, 2)
        self._out += f"ALARM:{number}\r\n"
        if self._locked:
            self._out += "[MSG:Reset to continue]\r\n"

    def reset(self) -> None:
        """Be reset in the middle of whatever it does, as by its button or 0x18."""
        if self.motor.moving or self.state == "Home":
            self.motor.let_go()
            self._out += "ALARM:6\r\n" if self.state == "Home" else "ALARM:3\r\n"
            self.state = "Alarm"
        elif self.state in ("Alarm", "Sleep"):
            self.state = "Alarm"
        else:
            self.motor.drop()
            self.state = "Idle"
        self._begin()

    def _begin(self) -> None:
        self._buffer.clear()
        self._asked = self._locked = self._hold_ends_jog = False
        self._reports.tell_offset_next()
        self._homing: GrblHoming | None = None
        self._absolute, self._feed_min, self._motion = True, 0.0, 0.0
        self._work_offset = 0.0
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
            self._go_on_homing(self._homing)
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
        if self._now_s() - self._idle_since_s >= self._settings.value(1) / 1000:
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
                self._begin_homing()
                return ""
            case "$SLP":
                self._need_idle()
                self.motor.let_go()
                self.state = "Sleep"
                return "ok\r\n[MSG:Sleeping]\r\n"
        raise Refused(3)

    def _need_idle(self) -> None:
        if self.state not in ("Idle", "Alarm"):
            raise Refused(8)

    def _set(self, number: int, value: str) -> str:
        self._need_idle()
        self._settings.take(number, value)
        self.motor.steps_per_unit = self._settings.of_axis(100)
        return "ok\r\n"

    def _jog(self, text: str) -> str:
        if self.state not in ("Idle", "Jog"):
            raise Refused(9 if self.state == "Alarm" else 8)
        jog = read_jog(text)
        goal = self._goal(jog, 91.0 not in jog.codes and (self._absolute or 90.0 in jog.codes))
        if self._settings.flag(20) and not self._within(goal):
            raise Refused(15)
        if self._go(goal, jog.values["F"]):
            self.state = "Jog"
        return "ok\r\n"

    def _block(self, text: str) -> None:
        block = read_block(text)
        codes, values = block.codes, block.values
        self._absolute = (self._absolute or 90.0 in codes) and 91.0 not in codes
        self._feed_min = values.get("F", self._feed_min)
        if 92.0 in codes:
            if self.build.letter in values:
                self._work_offset = self.motor.planned - values[self.build.letter]
                self._reports.tell_offset_next()
            return
        self._motion = next((code for code in (0.0, 1.0) if code in codes), self._motion)
        if self.build.letter not in values or codes & {4.0, 10.0}:
            return
        if self._motion == 1.0 and self._feed_min <= 0:
            raise Refused(22)
        goal = self._goal(block, self._absolute)
        if self._settings.flag(20) and not self._within(goal):
            self._out += "ok\r\n"
            self.alarm(2)
            return
        if self._go(goal, self._settings.of_axis(110) if self._motion == 0.0 else self._feed_min):
            self.state = "Run"

    def _goal(self, block: GrblBlock, absolute: bool) -> float:
        here, value = self.motor.planned, block.place(self.build.letter)
        if value is None:
            return here
        if not absolute:
            return here + value
        return value if 53.0 in block.codes else value + self._work_offset

    def _within(self, goal: float) -> bool:
        return -self._settings.of_axis(130) <= goal <= 0

    def _go(self, goal: float, feed_min: float) -> bool:
        self.motor.acceleration = self._settings.of_axis(120)
        if round(goal * self.motor.steps_per_unit) == round(self.motor.planned * self.motor.steps_per_unit):
            return False
        self.motor.go(goal, min(feed_min, self._settings.of_axis(110)) / 60)
        return True

    def _begin_homing(self) -> None:
        if not self._settings.flag(22):
            raise Refused(5)
        self._need_idle()
        self.state = "Home"
        self._homing = GrblHoming(self._settings, self.motor, self._at_switch)

    def _go_on_homing(self, homing: GrblHoming) -> None:
        match homing.go_on():
            case HomingStep.DONE:
                self._homing = None
                self.state = "Idle"
                self._out += "ok\r\n"
            case HomingStep.NO_SWITCH:
                self._homing = None
                self.alarm(9)
