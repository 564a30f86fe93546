"""A profile's steps cut into chunks short enough to be stopped between, as whole microseconds. Pure.

Whoever plays pulses for us wants them in advance, and knows no way back: what was handed over is played. Chunks are
therefore short, two are ahead at most, and a stop begins after these.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drivers.motion_profile import Intervals
from drivers.pulse_width import SHORTEST_US

CHUNK_S = 0.04
"""A stop waits for two of them at most; a loaded machine may be that late with the next one."""
LONGEST_STEPS = 1000
"""Of one chunk, so that its pulses are soon made."""
Delays = NDArray[np.int64]


def delays_us(intervals_s: Intervals) -> Delays:
    """Return the waits before the steps in whole microseconds, (n,) int64; rounding does not add up.

    Raises ValueError where two steps come too close for a pulse.
    """
    due_us = np.rint(np.cumsum(intervals_s) * 1e6).astype(np.int64)
    found = np.diff(due_us, prepend=0)
    if len(found) and found.min() < SHORTEST_US:
        raise ValueError(f"{found.min()} µs from step to step: at least {SHORTEST_US} are needed for a pulse")
    return found


def chunks(delays: Delays) -> Iterator[Delays]:
    """Return the waits in stretches of about `CHUNK_S`, at least one step each, in order."""
    due_us = np.cumsum(delays)
    begin = 0
    while begin < len(delays):
        already_us = due_us[begin - 1] if begin else 0
        end = int(np.searchsorted(due_us, already_us + CHUNK_S * 1e6, side="right"))
        end = min(max(end, begin + 1), begin + LONGEST_STEPS)
        yield delays[begin:end]
        begin = end
