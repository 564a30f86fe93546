"""`PulsePlayer` over anything that plays queued chunks of pulses by itself and tells how many are still to come."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.motion_profile import MotionProfile
from drivers.patience import Patience
from drivers.protocols import Clock, LinkBroken
from drivers.pulse_chunks import CHUNK_S, Delays, chunks, delays_us

AHEAD = 2
"""Chunks in the queue: one that is played and one that follows without a gap."""
NAP_S = 0.003
LATE_S = 2.0
"""A chunk that takes so much longer than its pulses will not end any more."""


class PulseQueue(Protocol):
    """Plays chunks one after the other, timed by somebody better at it than Python."""

    def put(self, delays: Delays) -> None:
        """Play these waits, (n,) µs, each followed by a pulse, after what is queued already. Raises DriverError."""

    def waiting(self) -> int:
        """Return how many chunks are queued, the one being played included. Raises DriverError."""

    def clear(self) -> None:
        """Drop what is queued and what is being played at once, from any thread."""

    def close(self) -> None:
        """Free the line; safe to call twice."""


class QueuedPulsePlayer:
    """Keeps a queue filled with the chunks of a move."""

    def __init__(self, name: str, queue: PulseQueue, clock: Clock) -> None:
        """`name` is what messages call the queue."""
        self._name = name
        self._queue = queue
        self._clock = clock
        self._halted = threading.Event()

    def prepare(self) -> None:
        """Nothing to do."""

    def rest(self) -> None:
        """Nothing to do."""

    def play(self, profile: MotionProfile, stop: threading.Event, count: Callable[[int], None]) -> None:
        """Issue the profile's steps; see `PulsePlayer`."""
        self._halted.clear()
        issued = self._feed(delays_us(profile.intervals_s), stop, count)
        if stop.is_set() and not self._halted.is_set():
            # What is queued by now is played; the rest of the move begins there, at the speed that it has there.
            self._feed(delays_us(profile.stopping_intervals_s(issued)), threading.Event(), count)

    def halt(self) -> None:
        """Issue nothing more; see `PulsePlayer`."""
        self._halted.set()
        self._queue.clear()

    def close(self) -> None:
        """Free the line; safe to call twice."""
        self._queue.close()

    def _feed(self, delays: Delays, stop: threading.Event, count: Callable[[int], None]) -> int:
        """Return how many steps were played, once they were."""
        queued: deque[int] = deque()
        issued = 0
        for chunk in chunks(delays):
            self._wait_for_room(queued, count, AHEAD - 1)
            if stop.is_set() or self._halted.is_set():
                break
            self._queue.put(chunk)
            queued.append(len(chunk))
            issued += len(chunk)
        self._wait_for_room(queued, count, 0)
        return issued

    def _wait_for_room(self, queued: deque[int], count: Callable[[int], None], most: int) -> None:
        """Return once no more than `most` chunks are to be played, counting those that were."""
        patience = Patience(self._clock, CHUNK_S * AHEAD + LATE_S + max(queued, default=0) * 1e-3)
        while not self._halted.is_set():
            left = self._queue.waiting()
            while len(queued) > left:
                count(queued.popleft())
            if len(queued) <= most:
                return
            if patience.left_s <= 0:
                raise LinkBroken(
                    f"{self._name}: {left} groups of pulses still wait, none was expected to by now; "
                    "check what else uses the processor, then home the table"
                )
            self._clock.sleep_until(self._clock.now_s() + NAP_S)
