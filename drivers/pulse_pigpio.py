"""STEP pulses timed by the chip's DMA, through pigpio's daemon: to the microsecond, on Pis up to the 4.

The daemon plays one wave at a time for all its users, so one axis at a time moves this way.
"""

import contextlib
import struct
import threading
from collections.abc import Callable

import numpy as np
import pigpio

from drivers.protocols import DriverError, LinkBroken
from drivers.pulse_chunks import Delays
from drivers.pulse_width import PULSE_US

START_REMEDY = 'sudo systemctl start pigpiod, or set pulses = "auto"'


class PigpioPulseQueue:
    """`PulseQueue` on one line of the machine whose daemon answers."""

    def __init__(self, step_pin: int, host: str = "localhost", port: int = 8888) -> None:
        """Make the line an output, low. Raises DriverError when no daemon answers."""
        self._pin = step_pin
        self._lock = threading.Lock()
        self._waves: list[int] = []
        """Ids of the waves that were sent and not yet seen to be over, oldest first."""
        self._pi: pigpio.pi | None = pigpio.pi(host, port, show_errors=False)
        if not self._pi.connected:
            self._pi = None
            raise DriverError(f"pigpio: no daemon answers at {host}:{port}; {START_REMEDY}")
        self._call("claim", lambda pi: (pi.set_mode(step_pin, pigpio.OUTPUT), pi.write(step_pin, 0)))

    def put(self, delays: Delays) -> None:
        """Play these waits, each followed by a pulse, after what is queued already. Raises DriverError."""
        with self._lock:
            self._call(f"a wave of {len(delays)} pulses", lambda pi: self._send(pi, delays))

    def waiting(self) -> int:
        """Return how many chunks are queued, the one being played included. Raises DriverError."""
        with self._lock:
            self._call("state of the wave", self._forget_played)
            return len(self._waves)

    def clear(self) -> None:
        """Drop everything at once, from any thread."""
        with self._lock, contextlib.suppress(DriverError):
            self._call("stop", self._drop)

    def close(self) -> None:
        """Leave the line low and hang up; safe to call twice."""
        self.clear()
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        pi, self._pi = self._pi, None
        if pi is not None:
            with contextlib.suppress(OSError):
                pi.stop()

    def _send(self, pi: pigpio.pi, delays: Delays) -> None:
        pi.wave_add_generic(wave_of(self._pin, delays))
        wave = int(pi.wave_create())
        # In step with the wave before: no gap between them.
        pi.wave_send_using_mode(wave, pigpio.WAVE_MODE_ONE_SHOT_SYNC)
        self._waves.append(wave)

    def _forget_played(self, pi: pigpio.pi) -> None:
        playing = pi.wave_tx_at()
        if playing == pigpio.NO_TX_WAVE:
            self._delete(pi, len(self._waves))
        elif playing in self._waves:
            self._delete(pi, self._waves.index(playing))

    def _drop(self, pi: pigpio.pi) -> None:
        pi.wave_tx_stop()
        pi.write(self._pin, 0)
        self._delete(pi, len(self._waves))

    def _delete(self, pi: pigpio.pi, count: int) -> None:
        for _ in range(count):
            pi.wave_delete(self._waves.pop(0))

    def _call(self, what: str, ask: Callable[[pigpio.pi], object]) -> None:
        if self._pi is None:
            raise DriverError(f"GPIO{self._pin}: no connection to pigpio's daemon any more; restart scannerd")
        try:
            ask(self._pi)
        except (pigpio.error, OSError, struct.error) as error:
            # Its client's thread would spin on a connection that has ended.
            self._hang_up()
            raise LinkBroken(f"GPIO{self._pin}: {what}: pigpio's daemon says {error}; {START_REMEDY}") from error


def wave_of(step_pin: int, delays: Delays) -> list[pigpio.pulse]:
    """Return each wait with STEP low, then STEP high for as long as a driver board needs, then low again."""
    line = 1 << step_pin
    rows = np.empty((len(delays), 2, 3), np.uint32)
    rows[:, 0] = [0, line, 0]
    rows[:, 0, 2] = delays - PULSE_US
    rows[:, 1] = [line, 0, PULSE_US]
    return [pigpio.pulse(*row) for row in [*rows.reshape(-1, 3).tolist(), [0, line, 1]]]
