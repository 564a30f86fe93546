"""A Marlin controller with one motor or more: numbered lines, checksums, a planner that looks ahead."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from drivers.bench.serial_firmware import SerialFirmware
from drivers.bench.serial_motor import AtSwitch, Pulse, no_switch
from drivers.bench.serial_motors import MotorBuild

BLOCKS = 15
BUSY_S = 2.0
RX_BYTES = 128
LETTERS = "XYZA"


@dataclass
class MarlinBuild:
    """How the simulated controller is built and set."""

    letter: str = "X"
    steps_per_unit: float = 80.0
    has_home_switch: bool = False
    beside: tuple[MotorBuild, ...] = ()
    """Motors of other axes."""


class MarlinFirmware(SerialFirmware):
    """Its lines, each of which it answers once it has planned or done it."""

    def __init__(
        self,
        now_s: Callable[[], float],
        pulse: Pulse,
        build: MarlinBuild | None = None,
        at_switch: AtSwitch = no_switch,
    ) -> None:
        """A controller that was just switched on."""
        self.build = build or MarlinBuild()
        first = MotorBuild(self.build.letter, self.build.steps_per_unit, pulse, at_switch)
        super().__init__(now_s, first, *self.build.beside)
        self.power_on()

    def power_on(self) -> None:
        """Start from nothing."""
        self.motors.power_on()
        letters = self.motors.by_letter
        self._fastest_s, self._most_s2 = dict.fromkeys(letters, 300.0), dict.fromkeys(letters, 500.0)
        self._feed_min, self._ramp_s2, self._absolute = 1500.0, 500.0, True
        self._last, self._dead = 0, False
        self._buffer.clear()
        self._waiting: Callable[[], bool] | None = None
        self._busy_at_s = 0.0
        self._out += "start\r\necho:Marlin 2.1.2\r\necho: Last Updated: 2022-12-17\r\n"

    def alarm(self) -> None:
        """Halt for good, as when a thermistor falls out."""
        self._kill("Thermal Runaway, system stopped! Heater_ID: 0")

    def receive(self, data: bytes) -> None:
        """Take what came on the line."""
        self._buffer += data[: max(0, RX_BYTES * 4 - len(self._buffer))]
        if b"M112" in self._buffer:  # its emergency parser
            self._kill("M112 Shutdown")
        self._work()

    def _go_on(self) -> None:
        if self._waiting is not None:
            if self._waiting():
                self._waiting = None
                self._out += "ok\r\n"
            elif self._now_s() - self._busy_at_s > BUSY_S:
                self._busy_at_s = self._now_s()
                self._out += "echo:busy: processing\r\n"
        self._work()

    def _kill(self, why: str) -> None:
        self.motors.let_go()
        self._dead = True
        self._buffer.clear()
        self._waiting = None
        self._out += f"Error:{why}\r\nError:Printer halted. kill() called!\r\n"

    def _work(self) -> None:
        while not self._dead and self._waiting is None and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).decode("latin-1").strip()
            del self._buffer[: end + 1]
            if line:
                self._take(line)

    def _take(self, line: str) -> None:
        if line.startswith("N") and (line := self._checked(line) or "") == "":
            return
        if "*" in line and not line.startswith("M117"):
            self._send_again("No Line Number with checksum")
            return
        self._obey(line)

    def _checked(self, line: str) -> str | None:
        """Return the command of a numbered line, None where it came damaged."""
        found = re.fullmatch(r"N(-?\d+) *(.*?)\*(\d+)", line)
        why = None
        if found is None:
            why = "No Checksum with line number"
        elif reduce(lambda a, b: a ^ b, line[: line.rindex("*")].encode("latin-1"), 0) != int(found[3]):
            why = "checksum mismatch"
        elif not found[2].startswith("M110") and int(found[1]) != self._last + 1:
            why = "Line Number is not Last Line Number+1"
        if found is None or why is not None:
            self._send_again(why or "")
            return None
        self._last = int(found[1])
        return found[2]

    def _send_again(self, why: str) -> None:
        self._buffer.clear()
        self._out += f"Error:{why}, Last Line: {self._last}\r\nResend: {self._last + 1}\r\nok\r\n"

    def _obey(self, command: str) -> None:
        code, *rest = command.split()
        words = {word[0]: float(word[1:]) for word in rest if re.fullmatch(r"[A-Z]-?[\d.]+", word)}
        letter = self.motors.letter_in(words)
        named = [each for each in self.motors.by_letter if each in rest] or list(self.motors.by_letter)
        reply = ""
        match code:
            case "G0" | "G1":
                self._feed_min = words.get("F", self._feed_min)
                if letter is not None:
                    self._go(letter, words[letter])
                    return
            case "G4" | "M400":
                self._wait(lambda: not self.motors.moving)
                return
            case "G28":
                self._home(named)
                return
            case "G90" | "G91":
                self._absolute = code == "G90"
            case "G92" if letter is not None:
                self.motors.by_letter[letter].place(words[letter])
            case "M17":
                for each in named:
                    self.motors.by_letter[each].enabled = True
            case "M18" | "M84":
                if "S" not in words:
                    self._wait(lambda: self._let_go(named))
                    return
            case "M92":
                values = " ".join(f"{axis}{self._steps_of(axis):.2f}" for axis in LETTERS)
                reply = f"echo:  M92 {values}\r\n" if not words else ""
            case "M110":
                self._last = int(words.get("N", self._last))
            case "M114":
                reply = self._places()
            case "M115":
                reply = "FIRMWARE_NAME:Marlin 2.1.2 (bench) PROTOCOL_VERSION:1.0 MACHINE_TYPE:turntable\r\n"
            case "M201" if letter is not None:
                self._most_s2[letter] = words[letter]
            case "M203" if letter is not None:
                self._fastest_s[letter] = words[letter]
            case "M204":
                self._ramp_s2 = words.get("P", self._ramp_s2)
            case "M410":
                self.motors.drop()
            case "G21" | "G4":
                pass
            case _:
                reply = f'echo:Unknown command: "{command}"\r\n'
        self._out += reply + "ok\r\n"

    def _steps_of(self, axis: str) -> float:
        motor = self.motors.by_letter.get(axis)
        return 80.0 if motor is None else motor.steps_per_unit

    def _go(self, letter: str, value: float) -> None:
        motor = self.motors.by_letter[letter]
        goal = value if self._absolute else motor.planned + value
        speed_s = min(self._feed_min / 60, self._fastest_s[letter])

        def planned() -> bool:
            if self.motors.queued >= BLOCKS or self.motors.busy_beside(letter):
                return False
            motor.acceleration = min(self._ramp_s2, self._most_s2[letter])
            motor.go(goal, speed_s)
            return True

        self._wait(planned)

    def _home(self, letters: list[str]) -> None:
        motors = [self.motors.by_letter[letter] for letter in letters]
        if not self.build.has_home_switch:
            for motor in motors:
                motor.place(0.0)
            self._out += "ok\r\n"
            return
        for letter, motor in zip(letters, motors, strict=True):
            motor.seek(motor.position - 1e6, 20.0, self.motors.at_switch[letter])

        def met() -> bool:
            if not all(motor.found for motor in motors):
                return False
            for motor in motors:
                motor.place(0.0)
            return True

        self._wait(met)

    def _let_go(self, letters: list[str]) -> bool:
        if self.motors.moving:
            return False
        for letter in letters:
            self.motors.by_letter[letter].enabled = False
        return True

    def _wait(self, over: Callable[[], bool]) -> None:
        """Answer `ok` once it is over, and take no line until then."""
        self._busy_at_s = self._now_s()
        if over():
            self._out += "ok\r\n"
        else:
            self._waiting = over

    def _places(self) -> str:
        at = {axis: self.motors.by_letter.get(axis) for axis in LETTERS}
        planned = " ".join(f"{axis}:{motor.planned if motor else 0:.2f}" for axis, motor in at.items())
        steps = " ".join(f"{axis}:{motor.steps if motor else 0}" for axis, motor in at.items())
        return f"{planned} Count {steps}\r\n"
