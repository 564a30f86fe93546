"""A GRBL controller as a program of its own, at the device end of any serial line.

    python -m drivers.bench.grbl_controller --device /dev/ttyGS0 [--axis X] [--steps-per-unit 80] [--truth FILE]

answers there as GRBL 1.1 does, also after the line was away and came back: its motor knows nothing of the line.
`--pty` makes a pseudo-terminal instead and prints its name. `--truth FILE` gets a line of JSON whenever the motor
has come to rest, stopped having current, or got it. Standard library only.
"""

import argparse
import json
import os
import select
import sys
import termios
import time
import tty
from contextlib import suppress
from pathlib import Path

from drivers.bench.grbl_firmware import GrblFirmware
from drivers.bench.grbl_settings import GrblBuild

LOOK_S = 0.002
AGAIN_S = 1.0
"""How soon a line that went away is looked for again: a USB gadget goes only while nobody has it open."""


def main() -> int:
    """Serve until killed."""
    options = _options()
    build = GrblBuild(
        letter=options.axis,
        steps_per_unit=options.steps_per_unit,
        speed_min=options.speed_min,
        acceleration=options.acceleration,
        axes=4 if options.axis == "A" else 3,
    )
    truth = Truth(options.truth)
    firmware = GrblFirmware(time.monotonic, truth.pulse, build)
    if options.pty:
        master, slave = os.openpty()
        tty.setraw(slave)
        print(os.ttyname(slave), flush=True)
        _serve(master, firmware, truth)
        return 0
    while True:
        with suppress(OSError):
            line = os.open(options.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                with suppress(termios.error):
                    tty.setraw(line)
                _serve(line, firmware, truth)
            finally:
                os.close(line)
        _turn_on(firmware, truth, AGAIN_S)


class Truth:
    """Where the motor really is, for whoever looks from outside."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._last: tuple[int, bool] | None = None
        self.steps = 0

    def pulse(self, way: int, at_s: float, enabled: bool) -> None:
        """Count a step."""
        if enabled:
            self.steps += way

    def tell(self, firmware: GrblFirmware) -> None:
        """Write a line where something has changed and nothing moves."""
        now = (self.steps, firmware.enabled)
        if self._path is None or firmware.moving or now == self._last:
            return
        self._last = now
        units = self.steps / firmware.build.steps_per_unit
        line = {"steps": self.steps, "units": units, "enabled": firmware.enabled, "state": firmware.state}
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps(line) + "\n")


def _serve(line: int, firmware: GrblFirmware, truth: Truth) -> None:
    """Answer on this line until it is away."""
    while True:
        ready, _, _ = select.select([line], [], [], LOOK_S)
        if ready:
            with suppress(BlockingIOError):
                data = os.read(line, 256)
                if not data:
                    return  # hung up: the cable was pulled
                firmware.receive(data)
        out = firmware.advance()
        truth.tell(firmware)
        while out:
            try:
                out = out[os.write(line, out) :]
            except BlockingIOError:
                # Nobody reads at the other end; a real controller does not wait for a listener either.
                break


def _turn_on(firmware: GrblFirmware, truth: Truth, for_s: float) -> None:
    """Let the motor end what it was told, with nobody to talk to."""
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        time.sleep(LOOK_S)
        firmware.advance()
        truth.tell(firmware)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A GRBL 1.1 controller on a serial line, turning a simulated motor.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--device", help="serial device to answer on, such as /dev/ttyGS0")
    where.add_argument("--pty", action="store_true", help="make a pseudo-terminal and print its name")
    parser.add_argument("--axis", default="X", choices=list("XYZA"))
    parser.add_argument("--steps-per-unit", type=float, default=80.0)
    parser.add_argument("--speed-min", type=float, default=5000.0, help="units per minute, $110")
    parser.add_argument("--acceleration", type=float, default=200.0, help="units per second squared, $120")
    parser.add_argument("--truth", type=Path, help="file that gets a line of JSON at each standstill")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
