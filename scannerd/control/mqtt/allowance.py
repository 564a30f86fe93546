"""How many messages are listened to: so many at once, and so many a second in the long run."""

import time
from collections.abc import Callable


class Allowance:
    """A bucket of tokens that fills again."""

    def __init__(self, per_s: float, at_once: int, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._monotonic_s = monotonic_s
        self._left = float(at_once)
        self._filled_s = monotonic_s()

    def take(self) -> bool:
        """Return whether one more is allowed now, and count it if so."""
        now_s = self._monotonic_s()
        self._left = min(float(self._at_once), self._left + (now_s - self._filled_s) * self._per_s)
        self._filled_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
