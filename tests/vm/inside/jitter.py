"""Inside: how evenly STEP pulses come from lgpio's waves, from our Python thread and from a loop that sleeps."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import numpy as np
from gpiozero import DigitalOutputDevice
from guest_pins import Trace

from drivers.clock import SystemClock
from drivers.motion_profile import MotionProfile
from drivers.pulse_lgpio import LgpioPulsePlayer

PIN = 17
PERIOD_US = 2000
PULSES = 1000


def main() -> None:
    """Print the periods' percentiles as JSON."""
    print(json.dumps({"period_us": PERIOD_US, "lgpio": _periods(_wave), "sleeping": _periods(_sleep)}))


def _periods(play: Callable[[], None]) -> dict[str, float]:
    trace = Trace()
    play()
    at_s = [edge.at_s for edge in trace.edges() if edge.line == PIN and edge.level]
    periods_us = np.diff(at_s) * 1e6
    late_us = np.abs(periods_us - PERIOD_US)
    p50, p99 = np.percentile(late_us, [50, 99])
    return {
        "pulses": len(at_s),
        "off_p50_us": round(p50),
        "off_p99_us": round(p99),
        "off_max_us": round(late_us.max()),
    }


def _wave() -> None:
    player = LgpioPulsePlayer(0, PIN, SystemClock())
    player.play(MotionProfile(np.full(PULSES, PERIOD_US * 1e-6), 0), threading.Event(), lambda _: None)
    player.close()


def _sleep() -> None:
    with DigitalOutputDevice(PIN) as line:
        due_s = time.monotonic()
        for _ in range(PULSES):
            due_s += PERIOD_US * 1e-6
            time.sleep(max(due_s - time.monotonic(), 0))
            line.on()
            line.off()


main()
