"""Inside: waves that end while a light is dimmed, which one thread of lgpio's cannot play both."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import numpy as np
from guest_pins import Trace

from drivers.light_gpio import GpioLight
from drivers.options import LightGpioOptions
from drivers.pulse_lgpio import LgpioPulseQueue

PIN = 17
WAVES, PULSES, PERIOD_US = 150, 5, 2000
LATE_S = 10.0


def main() -> None:
    """Print how many pulses came as JSON."""
    light = GpioLight(LightGpioOptions(level=0.5, frequency_hz=100))
    queue = LgpioPulseQueue(0, PIN)
    trace, played = Trace(), 0
    for _ in range(WAVES):
        queue.put(np.full(PULSES, PERIOD_US))
        began_s = time.monotonic()
        while queue.waiting() and time.monotonic() - began_s < LATE_S:
            time.sleep(0.005)
        if queue.waiting():
            break
        played += 1
    pulses = sum(edge.level for edge in trace.edges() if edge.line == PIN)
    queue.close()
    light.close()
    print(json.dumps({"waves": played, "pulses": pulses}))


main()
