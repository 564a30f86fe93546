"""Inside the virtual machine, as root: the world outside of a scanner, which knows nothing but what the kernel tells.

A process of its own turns the platter by the STEP edges in the kernel's trace, or as a motor on USB turns,
and writes down each change of the lamp. Its state is a few numbers in memory that others may look at.
"""

import json
import mmap
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import guest_cable
import guest_pins

STATE, LAMP_LOG = Path("/run/world/state"), Path("/run/world/lamp.jsonl")
SEEN = struct.Struct("dddd")
STEP, DIR, ENABLE, LAMP = 17, 27, 5, 24
"""As config.toml has them by default."""
STEP_DEG = 360 / (200 * 8 * 3)
"""With 8 microsteps: an angle tells its number of steps."""
INSTANCE = guest_pins.TRACING / "instances" / "world"
LOOK_S = 0.02


@dataclass(frozen=True)
class Seen:
    """What happened since the world began."""

    angle_deg: float
    """Of the platter, counter-clockwise."""
    pulses: int
    """STEP edges."""
    in_vain: int
    """Those that came while ENABLE was off."""


def seen() -> Seen:
    """Look."""
    by_pins_deg, by_cable_deg, pulses, in_vain = SEEN.unpack(STATE.read_bytes())
    return Seen(by_pins_deg + by_cable_deg, round(pulses), round(in_vain))


class World:
    """`follow` until killed."""

    def __init__(self) -> None:
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_bytes(bytes(SEEN.size))
        LAMP_LOG.write_text("")
        with STATE.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SEEN.size)
        if not (guest_pins.TRACING / "trace").exists():
            subprocess.run(["mount", "-t", "tracefs", "none", str(guest_pins.TRACING)], check=True)
        INSTANCE.mkdir(exist_ok=True)
        for name, value in (("trace_clock", "mono"), ("trace", ""), ("events/gpio/gpio_value/enable", "1")):
            (INSTANCE / name).write_text(value)
        self._levels = {line: guest_pins.level(line) for line in range(guest_pins.LINES)}
        self._base = guest_pins.first_number()
        self._steps = self._pulses = self._in_vain = 0
        self._by_cable_deg = 0.0

    def follow(self) -> None:
        """Be the world."""
        threading.Thread(target=self._follow_cable, daemon=True).start()
        with (INSTANCE / "trace_pipe").open() as told, LAMP_LOG.open("a") as lamp_log:
            for line in told:
                if (written := guest_pins.WRITTEN.search(line)) is None:
                    continue
                pin, level = int(written[2]) - self._base, int(written[3])
                if self._levels.get(pin) == level:
                    continue
                self._levels[pin] = level
                if pin == STEP and level:
                    self._step()
                elif pin == LAMP:
                    lamp_log.write(json.dumps([float(written[1]), bool(level)]) + "\n")
                    lamp_log.flush()

    def _step(self) -> None:
        self._pulses += 1
        if self._levels[ENABLE]:
            self._in_vain += 1
        else:
            self._steps += 1 if self._levels[DIR] else -1
        self._tell()

    def _follow_cable(self) -> None:
        while True:
            self._by_cable_deg = guest_cable.rests_at() or 0.0
            self._tell()
            time.sleep(LOOK_S)

    def _tell(self) -> None:
        SEEN.pack_into(
            self._memory, 0, self._steps * STEP_DEG, self._by_cable_deg, float(self._pulses), float(self._in_vain)
        )


if __name__ == "__main__":
    World().follow()
