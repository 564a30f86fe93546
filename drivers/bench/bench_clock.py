"""The bench's own time: as fast as a test wants, and standing still while the simulation itself is busy.

A picture takes the renderer a second that no real camera would need. The world's clock is stopped meanwhile, so that
nothing settles, nothing times out and no figure counts it.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.pulse_player import CATCH_UP

PAUSED_NAP_S = 0.005
"""How soon a waiting task notices that a stopped world goes on."""
SHORTEST_NAP_S = 60e-6
"""The system oversleeps by about this much. A fast clock's STEP pulses are closer: for those it only yields."""
REMEMBERED_EPOCHS = 4096


@dataclass(frozen=True)
class _Epoch:
    """A stretch of time in which the bench runs evenly: at its speed, or not at all."""

    system_s: float
    bench_s: float
    rate: float

    def bench_at(self, system_s: float) -> float:
        return self.bench_s + (system_s - self.system_s) * self.rate


class _MeantWaits(threading.local):
    """For how long one thread meant to sleep."""

    def __init__(self) -> None:
        self._deadline_s = 0.0
        self._meant_s: float | None = None

    def expect(self, deadline_s: float, now_s: float) -> None:
        """Deadlines follow each other as meant, but for a thread that counts from now since it was late.

        Whoever plays pulses shortens a wait to `CATCH_UP` of what was planned then.
        """
        since_last_s, from_now_s = deadline_s - self._deadline_s, deadline_s - now_s
        self._deadline_s = deadline_s
        meant_s = min(since_last_s, from_now_s / CATCH_UP) if from_now_s > 0 else max(since_last_s, 0.0)
        self._meant_s = (self._meant_s or 0.0) + meant_s

    def take(self) -> float | None:
        """Return their sum since the last time, and begin again."""
        meant_s, self._meant_s = self._meant_s, None
        return meant_s


class BenchClock:
    """`Clock` that runs `speed` times as fast as CLOCK_MONOTONIC and can be paused."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start the world now, at 0 s."""
        if speed <= 0:
            raise ValueError(f"speed = {speed}: must be above 0")
        self.speed = speed
        self._epoch = _Epoch(time.monotonic(), 0.0, speed)
        self._epochs = deque([self._epoch], maxlen=REMEMBERED_EPOCHS)
        self._lock = threading.Lock()
        self._pauses = 0
        self._waits = _MeantWaits()
        self._running = threading.Event()
        self._running.set()

    def now_s(self) -> float:
        """Return bench seconds since the clock was built."""
        return self._epoch.bench_at(time.monotonic())

    def sleep_until(self, deadline_s: float) -> None:
        """Block this thread until bench time reaches the deadline."""
        self._waits.expect(deadline_s, self.now_s())
        while (remaining_s := deadline_s - self.now_s()) > 0:
            self._running.wait()
            nap_s = remaining_s / self.speed
            time.sleep(nap_s if nap_s > SHORTEST_NAP_S else 0)

    def take_wait_s(self) -> float | None:
        """Return how long this thread meant to sleep since it last asked here; None: it did not.

        That is what its sleeps would have taken on a machine that is never late.
        """
        return self._waits.take()

    async def wait_until(self, deadline_s: float) -> None:
        """The same for a task; cancelling it leaves nothing behind."""
        while (remaining_s := deadline_s - self.now_s()) > 0:
            nap_s = remaining_s / self.speed
            await asyncio.sleep(nap_s if self._running.is_set() else max(nap_s, PAUSED_NAP_S))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the world. Several threads may hold it; it goes on when the last one lets go."""
        with self._lock:
            self._pauses += 1
            if self._pauses == 1:
                self._running.clear()
                self._begin_epoch(0.0)
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if self._pauses == 0:
                    self._begin_epoch(self.speed)
                    self._running.set()

    def system_s(self, bench_s: float) -> float:
        """Return when, on CLOCK_MONOTONIC, it was `bench_s`; the first such moment if the world stood still then."""
        for epoch in reversed(self._remembered()):
            if epoch.rate > 0 and epoch.bench_s < bench_s:
                return epoch.system_s + (bench_s - epoch.bench_s) / epoch.rate
        oldest = self._epochs[0]
        return oldest.system_s - (oldest.bench_s - bench_s) / self.speed

    def bench_s(self, system_s: float) -> float:
        """Return what time it was on the bench at this moment of CLOCK_MONOTONIC."""
        epochs = self._remembered()
        for epoch in reversed(epochs):
            if epoch.system_s <= system_s:
                return epoch.bench_at(system_s)
        return epochs[0].bench_s

    def from_monotonic_s(self, monotonic_s: float) -> float:
        """Return what time it was on the bench at this moment of CLOCK_MONOTONIC."""
        return self.bench_s(monotonic_s)

    def _begin_epoch(self, rate: float) -> None:
        now_s = time.monotonic()
        self._epoch = _Epoch(now_s, self._epoch.bench_at(now_s), rate)
        self._epochs.append(self._epoch)

    def _remembered(self) -> list[_Epoch]:
        with self._lock:
            return list(self._epochs)
