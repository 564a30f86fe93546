"""STEP pulses as lgpio's waves: a thread of its C library times them, on every Pi and any other gpiochip."""

import contextlib
import threading

import lgpio
import numpy as np

from drivers.lgpio_alone import lgpio_alone
from drivers.protocols import DriverError
from drivers.pulse_chunks import PULSE_US, Delays

SLOTS = 10
"""Of its queue; the wave being played has one of them."""


class LgpioPulseQueue:
    """`PulseQueue` on one line, which is claimed as a group of one: only groups play waves."""

    def __init__(self, chip: int, step_pin: int) -> None:
        """Take line `step_pin` of /dev/gpiochip`chip`, low. Raises DriverError when it cannot be had."""
        self._pin = step_pin
        self._lock = threading.Lock()
        try:
            self._lgpio = lgpio_alone()
        except (OSError, ImportError) as error:
            raise DriverError(
                f'GPIO{step_pin}: lgpio cannot be loaded a second time: {error}; set pulses = "thread"'
            ) from error
        try:
            self._handle: int | None = self._lgpio.gpiochip_open(chip)
        except self._lgpio.error as error:
            raise DriverError(f"/dev/gpiochip{chip}: {error.value}; is this user in the group gpio?") from error
        try:
            self._claim()
        except self._lgpio.error as error:
            self.close()
            raise DriverError(f"GPIO{step_pin}: {error.value}; `gpioinfo` tells which program has it") from error

    def put(self, delays: Delays) -> None:
        """Play these waits, each followed by a pulse, after what is queued already. Raises DriverError."""
        with self._lock:
            self._refuse_if_closed()
            try:
                room = self._lgpio.tx_room(self._handle, self._pin, self._lgpio.TX_WAVE)
                if room < 1:
                    raise DriverError(f"GPIO{self._pin}: lgpio's queue of {SLOTS} waves is full")
                self._lgpio.tx_wave(self._handle, self._pin, wave_of(delays))
            except self._lgpio.error as error:
                raise DriverError(f"GPIO{self._pin}: a wave of {len(delays)} pulses: {error.value}") from error

    def waiting(self) -> int:
        """Return how many chunks are queued, the one being played included; none in a line that was freed."""
        with self._lock:
            self._refuse_if_closed()
            try:
                if not self._lgpio.tx_busy(self._handle, self._pin, self._lgpio.TX_WAVE):
                    return 0
                return SLOTS - int(self._lgpio.tx_room(self._handle, self._pin, self._lgpio.TX_WAVE))
            except self._lgpio.error as error:
                raise DriverError(f"GPIO{self._pin}: {error.value}") from error

    def clear(self) -> None:
        """Drop everything at once, from any thread: a line that is freed plays nothing."""
        with self._lock, contextlib.suppress(self._lgpio.error):
            if self._handle is not None:
                self._lgpio.group_free(self._handle, self._pin)
                self._claim()

    def close(self) -> None:
        """Free the line; safe to call twice."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                self._lgpio.gpiochip_close(handle)

    def _claim(self) -> None:
        self._lgpio.group_claim_output(self._handle, [self._pin], [0])

    def _refuse_if_closed(self) -> None:
        if self._handle is None:
            raise DriverError(f"GPIO{self._pin}: closed; build a new one")


def wave_of(delays: Delays) -> list[lgpio.pulse]:
    """Return each wait with STEP low, then STEP high for as long as a driver board needs, then low again."""
    low, high = 0, 1
    table = np.empty((len(delays), 2, 3), np.uint64)
    table[:, 0] = [low, 1, 0]
    table[:, 0, 2] = delays - PULSE_US
    table[:, 1] = [high, 1, PULSE_US]
    rows = table.reshape(-1, 3)
    return [lgpio.pulse(*row) for row in [*rows.tolist(), [low, 1, 1]]]
