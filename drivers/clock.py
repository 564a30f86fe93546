"""The system's own time, for real hardware."""

import asyncio
import time


class SystemClock:
    """`Clock` over CLOCK_MONOTONIC."""

    def now_s(self) -> float:
        """Return seconds since boot, or thereabouts; never goes back."""
        return time.monotonic()

    def sleep_until(self, deadline_s: float) -> None:
        """Block this thread until `now_s()` reaches the deadline; return at once when it has passed."""
        while (remaining_s := deadline_s - time.monotonic()) > 0:
            time.sleep(remaining_s)

    async def wait_until(self, deadline_s: float) -> None:
        """The same for a task; cancelling it leaves nothing behind."""
        # asyncio may wake a clock tick early, hence the loop.
        while (remaining_s := deadline_s - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(remaining_s)

    def from_monotonic_s(self, monotonic_s: float) -> float:
        """Return the moment itself."""
        return monotonic_s
