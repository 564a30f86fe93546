"""Inside the virtual machine: a Raspberry Pi's header of simulated lines, and the kernel's own trace of them."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

LINES = 28
LABEL = "pinctrl-bcm2835"
REVISION = "c03111"
"""Of a Raspberry Pi 4: gpiozero knows by it which pins there are."""
PULLED_UP = range(9)
"""A Pi's pull-ups before software has a word; among them GPIO5, ENABLE."""
CONFIGURED = Path("/sys/kernel/config/gpio-sim/pi")
TRACING = Path("/sys/kernel/tracing")
WRITTEN = re.compile(r"(\d+\.\d+): gpio_value: (\d+) set (\d)")


@dataclass(frozen=True)
class Edge:
    """A change of an output's level."""

    at_s: float
    """On CLOCK_MONOTONIC."""
    line: int
    level: int


def plug_in() -> None:
    """Make the chip, and this machine a Raspberry Pi to whoever asks for its revision."""
    subprocess.run(["modprobe", "gpio_simulated"], check=True)
    if not Path("/sys/kernel/config/gpio-sim").is_dir():
        subprocess.run(["mount", "-t", "configfs", "none", "/sys/kernel/config"], check=True)
    bank = CONFIGURED / "bank0"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text(str(LINES))
    (bank / "label").write_text(LABEL)
    (CONFIGURED / "live").write_text("1")
    for line in PULLED_UP:
        pull(line, up=True)
    cpuinfo = Path("/run/cpuinfo")
    cpuinfo.write_text(f"{Path('/proc/cpuinfo').read_text()}\nRevision\t: {REVISION}\n")
    subprocess.run(["mount", "--bind", str(cpuinfo), "/proc/cpuinfo"], check=True)


def pull(line: int, *, up: bool) -> None:
    """Hold a line that nobody drives at this level from outside."""
    (_line(line) / "pull").write_text("pull-up" if up else "pull-down")


def level(line: int) -> int:
    """Return the level that is seen from outside."""
    return int((_line(line) / "value").read_text())


def _line(line: int) -> Path:
    device = (CONFIGURED / "dev_name").read_text().strip()
    chip = (CONFIGURED / "bank0" / "chip_name").read_text().strip()
    return Path(f"/sys/devices/platform/{device}/{chip}/sim_gpio{line}")


class Trace:
    """What the kernel was asked to put on its output lines, from here on."""

    def __init__(self) -> None:
        """Begin."""
        self.levels = {line: level(line) for line in range(LINES)}
        if not (TRACING / "trace").exists():
            subprocess.run(["mount", "-t", "tracefs", "none", str(TRACING)], check=True)
        for name, value in (
            ("tracing_on", "0"), ("buffer_size_kb", "16384"), ("trace_clock", "mono"), ("trace", ""),
            ("events/gpio/gpio_value/enable", "1"), ("tracing_on", "1"),
        ):  # fmt: skip
            (TRACING / name).write_text(value)
        self._base = first_number()

    def edges(self) -> list[Edge]:
        """Return all changes so far, in order; a level that is set again is none. The trace goes on."""
        levels = dict(self.levels)
        found = []
        for at, number, value in WRITTEN.findall((TRACING / "trace").read_text()):
            edge = Edge(float(at), int(number) - self._base, int(value))
            if levels.get(edge.line) != edge.level:
                levels[edge.line] = edge.level
                found.append(edge)
        return found


def steps_in(edges: list[Edge], step_line: int, dir_line: int, dir_level: int) -> int:
    """Return how far a stepper motor went on them, forward less backward; `dir_level` is DIR's before them."""
    steps = 0
    for edge in edges:
        if edge.line == dir_line:
            dir_level = edge.level
        if edge.line == step_line and edge.level:
            steps += 1 if dir_level else -1
    return steps


def first_number() -> int:
    """Return the number that the kernel gives to the header's first line in its traces."""
    for chip in Path("/sys/class/gpio").glob("gpiochip*"):
        if (chip / "label").read_text().strip() == LABEL:
            return int((chip / "base").read_text())
    raise RuntimeError(f"the kernel numbers no chip {LABEL}")
