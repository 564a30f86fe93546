"""How the computer is: its temperature, its supply voltage, its memory. What a machine does not tell is None."""

import logging
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger(__name__)

SYSFS = Path("/sys")
THROTTLED_FILES = (
    "devices/platform/soc/soc:firmware/get_throttled",
    "devices/platform/axi/soc:firmware/get_throttled",
)
"""Where Raspberry Pi kernels keep the firmware's flags; the second is a Pi 5."""
VCGENCMD_S = 2.0

_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _HOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_UNDER_VOLTAGE_BEFORE = 1 << 16


@dataclass(frozen=True)
class Throttling:
    """The firmware's flags of a Raspberry Pi."""

    under_voltage: bool
    """Less than 4.63 V at this moment."""
    slowed: bool
    """The processor runs slower than it could, for voltage or heat."""
    under_voltage_before: bool
    """Since the Pi was switched on."""


@dataclass(frozen=True)
class Vitals:
    """One look at the computer."""

    temperature_c: float | None
    """Of its hottest part."""
    throttling: Throttling | None
    """None where there is no Raspberry Pi's firmware to ask."""
    memory_mb: float
    """What the daemon itself has in memory (1 MB = 10⁶ bytes)."""


def read_vitals(sysfs: Path = SYSFS) -> Vitals:
    """Look once; reads files, and on older systems runs vcgencmd: not in the event loop."""
    return Vitals(read_temperature_c(sysfs), read_throttling(sysfs), read_memory_mb())


def read_temperature_c(sysfs: Path = SYSFS) -> float | None:
    """Return the highest temperature of all thermal zones, in °C."""
    readings = [_number(zone) for zone in sysfs.glob("class/thermal/thermal_zone*/temp")]
    # A zone without a sensor says 0 or something below freezing.
    known = [reading / 1000 for reading in readings if reading is not None and reading > 0]
    return max(known, default=None)


def read_throttling(sysfs: Path = SYSFS) -> Throttling | None:
    """Return the firmware's flags, from the kernel or from vcgencmd."""
    for name in THROTTLED_FILES:
        flags = _number(sysfs / name, base=16)
        if flags is not None:
            return flags_of(flags)
    program = shutil.which("vcgencmd") if sysfs == SYSFS else None
    return _ask_vcgencmd(program) if program else None


def flags_of(flags: int) -> Throttling:
    """Return what the bits of get_throttled mean."""
    return Throttling(
        under_voltage=bool(flags & _UNDER_VOLTAGE),
        slowed=bool(flags & (_CAPPED | _THROTTLED | _HOT)),
        under_voltage_before=bool(flags & _UNDER_VOLTAGE_BEFORE),
    )


def read_memory_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def process_age_s() -> float:
    """Return how long ago this process was started, to 10 ms: interpreter and imports counted."""
    started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


def _number(file: Path, base: int = 10) -> int | None:
    try:
        return int(file.read_text().strip(), base)
    except (OSError, ValueError):
        return None


def _ask_vcgencmd(program: str) -> Throttling | None:
    """Return what `throttled=0x50000` says; None where /dev/vcio is not to be had."""
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=VCGENCMD_S)
        return flags_of(int(done.stdout.partition("=")[2], 16)) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        LOG.debug("vcgencmd: %s", error)
        return None
