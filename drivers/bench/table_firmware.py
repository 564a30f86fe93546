"""A simple turntable with a language of its own: `MA 90.00`, `POS?`, `STOP`, `HOME`, `ON`, `OFF`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from drivers.bench.serial_firmware import SerialFirmware
from drivers.bench.serial_motor import Pulse
from drivers.bench.serial_motors import MotorBuild


@dataclass
class TableBuild:
    """How it is built; its units are degrees."""

    steps_per_unit: float = 9600 / 360
    speed_deg_s: float = 60.0
    acceleration_deg_s2: float = 180.0


class TableFirmware(SerialFirmware):
    """Its orders, each answered at once. It has no switch to home to, and says nothing by itself."""

    def __init__(self, now_s: Callable[[], float], pulse: Pulse, build: TableBuild | None = None) -> None:
        """It was just switched on."""
        self.build = build or TableBuild()
        super().__init__(now_s, MotorBuild("", self.build.steps_per_unit, pulse))
        self.motor.acceleration = self.build.acceleration_deg_s2

    def power_on(self) -> None:
        """Start from nothing."""
        self.motor.let_go()
        self.motor.place(0.0)
        self._buffer.clear()

    def opened(self) -> None:
        """Its supply is its own, and it has no reset line."""

    def alarm(self) -> None:
        """Stop by itself, and say why."""
        self.motor.drop()
        self._out += "ERR overload\r\n"

    def receive(self, data: bytes) -> None:
        """Take what came on the line."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).decode("latin-1").strip()
            del self._buffer[: end + 1]
            self._out += self._answer(line) + "\r\n"

    def _go_on(self) -> None:
        if self.motor.queued and not self.motor.moving:
            self.motor.drop()

    def _answer(self, line: str) -> str:
        if (found := re.fullmatch(r"MA (-?[\d.]+)", line)) is not None:
            self.motor.go(float(found[1]), self.build.speed_deg_s)
            return "OK"
        match line:
            case "POS?":
                self.motor.advance()
                return f"POS {self.motor.position:.2f}"
            case "STOP":
                if self.motor.queued:
                    self.motor.hold()
                return "OK"
            case "HOME":
                self.motor.place(0.0)
                return "OK"
            case "ON" | "OFF":
                self.motor.enabled = line == "ON"
                return "OK"
        return f"ERR unknown: {line}"
