"""The fan-out of events to everybody who wants to know."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from scannerd.events import Event


@dataclass(frozen=True)
class Numbered:
    """An event with its place among all events since the start."""

    seq: int
    """1, 2, 3 …"""
    at: datetime
    event: Event


class Subscription(AsyncIterator[Event]):
    """One listener's queue. A listener that lags loses the oldest events and sees how many in `dropped`."""

    def __init__(self, bus: "EventBus", capacity: int) -> None:
        self._bus = bus
        self._waiting: deque[Numbered] = deque(maxlen=capacity)
        self._arrived = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, numbered: Numbered) -> None:
        """Add an event; never waits."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(numbered)
        self._arrived.set()

    def close(self) -> None:
        """Hear no more; what already waits can still be read."""
        self._closed = True
        self._bus.forget(self)
        self._arrived.set()

    async def numbered(self) -> AsyncIterator[Numbered]:
        """Iterate over the same events, each with its number and time. Numbers that are not there were dropped."""
        while True:
            try:
                yield await self.next_numbered()
            except StopAsyncIteration:
                return

    async def next_numbered(self) -> Numbered:
        """Return the next event. Raises StopAsyncIteration at the end; loses nothing when it is cancelled."""
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    async def __anext__(self) -> Event:
        return (await self.next_numbered()).event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventBus:
    """Hands every event to every listener, in the event loop's thread. A slow listener delays nobody."""

    def __init__(self, capacity: int = 1024, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Remember the last `capacity` events, for listeners that were away, and for those that are slow."""
        self._capacity = capacity
        self._now = now
        self._subscriptions: list[Subscription] = []
        self._followers: list[Callable[[Numbered], None]] = []
        self._history: deque[Numbered] = deque(maxlen=capacity)
        self._closed = False
        self.seq = 0
        """Of the latest event."""

    def subscribe(self, after: int | None = None) -> Subscription:
        """Return an iterator over the events from now on; it ends when the daemon does.

        With `after`, the number of an event, those that followed it come first, as far as they are remembered.
        """
        subscription = Subscription(self, self._capacity)
        if after is not None:
            for numbered in self._history:
                if numbered.seq > after:
                    subscription.put(numbered)
        self._subscriptions.append(subscription)
        if self._closed:
            subscription.close()
        return subscription

    def remembers_since(self, after: int) -> bool:
        """Whether no event after this number has been forgotten, and the number is of this start."""
        oldest = self._history[0].seq if self._history else self.seq + 1
        return oldest - 1 <= after <= self.seq

    def follow(self, follower: Callable[[Numbered], None]) -> None:
        """Call `follower` with every event before anybody else hears of it. It must not wait or publish."""
        self._followers.append(follower)

    def publish(self, event: Event) -> None:
        """Tell everybody; never waits."""
        self.seq += 1
        numbered = Numbered(self.seq, self._now(), event)
        self._history.append(numbered)
        for follower in self._followers:
            follower(numbered)
        for subscription in self._subscriptions:
            subscription.put(numbered)

    def forget(self, subscription: Subscription) -> None:
        """Stop telling this listener."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def close(self) -> None:
        """End every listener's iteration once it has read what waits."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
