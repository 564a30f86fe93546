"""Inside: moves that end while a light is dimmed, which one thread of lgpio's cannot play both."""

import json
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import numpy as np
from guest_pins import Trace

from drivers.clock import SystemClock
from drivers.light_gpio import GpioLight
from drivers.motion_profile import MotionProfile
from drivers.options import LightGpioOptions
from drivers.pulse_lgpio import LgpioPulsePlayer

PIN = 17
MOVES = 150
PROFILE = MotionProfile(np.full(5, 0.002), ramp_steps=2)


def main() -> None:
    """Print how many pulses came as JSON."""
    light = GpioLight(LightGpioOptions(level=0.5, frequency_hz=100))
    player = LgpioPulsePlayer(0, PIN, SystemClock())
    trace = Trace()
    counted: list[int] = []
    for _ in range(MOVES):
        player.play(PROFILE, threading.Event(), counted.append)
    pulses = sum(edge.level for edge in trace.edges() if edge.line == PIN)
    player.close()
    light.close()
    print(json.dumps({"counted": sum(counted), "pulses": pulses}))


main()
