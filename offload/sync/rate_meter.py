"""How fast bytes go out, over the last seconds."""

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 10.0
STEP_S = 0.5


class RateMeter:
    """Counts what is sent, by all connections."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self.bytes_sent = 0
        self._steps: deque[tuple[float, int]] = deque()

    def add(self, size_bytes: int) -> None:
        """Count bytes that have just gone out."""
        self.bytes_sent += size_bytes
        now_s = self._clock_s()
        if self._steps and now_s - self._steps[-1][0] < STEP_S:
            began_s, counted = self._steps.pop()
            self._steps.append((began_s, counted + size_bytes))
        else:
            self._steps.append((now_s, size_bytes))
        self._forget(now_s)

    def rate_bytes_s(self) -> float:
        """Return the mean over the window, or over the time since the first byte in it."""
        now_s = self._clock_s()
        self._forget(now_s)
        if not self._steps:
            return 0.0
        span_s = max(STEP_S, now_s - self._steps[0][0])
        return sum(counted for _, counted in self._steps) / span_s

    def _forget(self, now_s: float) -> None:
        while self._steps and now_s - self._steps[0][0] > WINDOW_S:
            self._steps.popleft()
