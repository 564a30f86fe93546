"""A cap on the bytes sent a second, over all connections together."""

import asyncio
import time
from collections.abc import Callable

BURST_S = 0.25
"""What was not sent in so long is not made up for."""


class TokenBucket:
    """Lets bytes pass at a rate; whoever asks first goes first."""

    def __init__(self, rate_bytes_s: float | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        """None is no cap."""
        self._rate_bytes_s = rate_bytes_s
        self._clock_s = clock_s
        self._free_at_s = clock_s()

    @property
    def is_capped(self) -> bool:
        """Whether there is a cap at all."""
        return self._rate_bytes_s is not None

    def wait_s(self, size_bytes: int) -> float:
        """Take the bytes and return how long to wait before sending them, seconds."""
        if self._rate_bytes_s is None:
            return 0.0
        now_s = self._clock_s()
        begins_s = max(self._free_at_s, now_s - BURST_S)
        self._free_at_s = begins_s + size_bytes / self._rate_bytes_s
        return max(0.0, begins_s - now_s)

    async def take(self, size_bytes: int) -> None:
        """Return when the bytes may go."""
        if (wait_s := self.wait_s(size_bytes)) > 0:
            await asyncio.sleep(wait_s)
