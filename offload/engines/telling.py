"""How a running engine tells where it is: JSON lines for a worker, one living line for a person."""

import json
import shutil
import sys
import time
from typing import Any, TextIO

from offload.wire.jobs import Stage
from offload.wire.products import ReconstructionReport

LEAST_STEP_PERCENT = 0.5
BAR = 24


class JsonLines:
    """One JSON object a line on standard output; small steps are left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: tuple[Stage, float] | None = None

    def progress(self, stage: Stage, fraction: float, percent: float) -> None:
        """Tell the stage, its fraction and the percentage of the whole."""
        if self._told and self._told[0] is stage and percent - self._told[1] < LEAST_STEP_PERCENT:
            return
        self._told = (stage, percent)
        self.say({"stage": stage.value, "fraction": round(fraction, 4), "percent": round(percent, 1)})

    def say(self, line: dict[str, Any]) -> None:
        """Write one line and flush it."""
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()


class LivingLine:
    """A bar on a terminal; one line a stage where it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._living = stream.isatty()
        self._started_s = time.monotonic()
        self._stage: Stage | None = None

    def progress(self, stage: Stage, fraction: float, percent: float) -> None:
        """Draw anew, or tell a new stage."""
        elapsed_s = time.monotonic() - self._started_s
        if not self._living:
            if stage is not self._stage:
                self._stream.write(f"{elapsed_s:6.1f} s  {percent:3.0f} %  {stage.value}\n")
                self._stream.flush()
            self._stage = stage
            return
        filled = round(BAR * percent / 100)
        bar = "█" * filled + "░" * (BAR - filled)
        line = f"{bar} {percent:3.0f} %  {stage.value:<9} {100 * fraction:3.0f} %  {elapsed_s:5.1f} s"
        self._stream.write("\r" + line[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line so that what follows begins on its own."""
        if self._living:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def tell_person(report: ReconstructionReport, out: str) -> None:
    """Print what became of the photos."""
    size = " x ".join(f"{extent:.4g}" for extent in report.size)
    closed = "watertight" if report.watertight else f"not watertight: {report.not_watertight_because}"
    cpu_s = sum(stage.cpu_s for stage in report.stages)
    wall_s = sum(stage.wall_s for stage in report.stages)
    print(f"photos     {report.photos_used} of {report.photos_given} used")
    for name, reason in report.unused.items():
        print(f"           {name} left out: {reason}")
    print(f"size       {size} {report.units}   ({report.scale_source})")
    print(f"mesh       {report.triangles} triangles, {closed}")
    print(f"took       {wall_s:.1f} s, {cpu_s:.1f} s of processor time, {report.peak_rss_mb:.0f} MB at most")
    for warning in report.warnings:
        print(f"warning    {warning}")
    for name in report.files:
        print(f"{'files' if name == report.files[0] else '':<10} {out}/{name}")
    sys.stdout.flush()
