"""How long to wait for hardware: as long as it may take, on its own clock and on this machine's."""

import time

from drivers.protocols import Clock


class Patience:
    """Runs out once so many seconds have passed on both clocks.

    They are one on a device. A bench's clock runs faster than this machine can answer, or stands still while a
    picture is computed.
    """

    def __init__(self, clock: Clock, patience_s: float) -> None:
        """From now on."""
        self._clock = clock
        self._until_s = clock.now_s() + patience_s
        self._system_until_s = time.monotonic() + patience_s

    @property
    def left_s(self) -> float:
        """Seconds that it lasts at least; 0 or less: it has run out."""
        return max(self._until_s - self._clock.now_s(), self._system_until_s - time.monotonic())
