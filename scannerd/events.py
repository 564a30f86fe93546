"""What happened, and its fan-out to everybody who wants to know."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from scannerd.scan.phases import Phase


class Outcome(StrEnum):
    """How a run of a scan ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class StepTimes:
    """What one viewpoint cost, in seconds of the hardware's clock."""

    move_s: float = 0.0
    settle_s: float = 0.0
    capture_s: float = 0.0
    judge_s: float = 0.0
    store_s: float = 0.0
    floor_s: float = 0.0
    """The least that physics allows: motion at the configured limits + settling + exposure + readout."""

    @property
    def total_s(self) -> float:
        """All steps together."""
        return self.move_s + self.settle_s + self.capture_s + self.judge_s + self.store_s


@dataclass(frozen=True)
class UnfinishedScanFound:
    """Seen at the start: a scan that can be resumed."""

    scan_id: str
    frames_done: int
    frames_planned: int


@dataclass(frozen=True)
class ScanStarted:
    """A run of a scan begins; `frames_done` is more than 0 when it is resumed."""

    scan_id: str
    frames_done: int
    frames_planned: int
    folder: str


@dataclass(frozen=True)
class PhaseChanged:
    """The daemon does something else now."""

    phase: Phase
    scan_id: str | None = None
    index: int | None = None
    """The viewpoint, where the phase is about one."""
    angle_deg: float | None = None


@dataclass(frozen=True)
class FrameJudged:
    """The gate looked at a photo. `verdict` is accept, retake or ask; `reason` holds the number and its limit."""

    scan_id: str
    index: int
    angle_deg: float
    attempt: int
    verdict: str
    reason: str
    sharpness: float


@dataclass(frozen=True)
class FrameStored:
    """A photo counts: it is on the disk, and so is its journal line."""

    scan_id: str
    index: int
    angle_deg: float
    attempt: int
    size_bytes: int
    sharpness: float
    times: StepTimes
    frames_done: int
    frames_planned: int


@dataclass(frozen=True)
class ScanPaused:
    """Nothing moves until Resume or Cancel. `question` is set when a person should look at something."""

    scan_id: str
    question: str | None = None


@dataclass(frozen=True)
class ScanSealed:
    """All photos are there and the manifest is on the disk: the bundle can travel."""

    scan_id: str
    manifest_sha256: str
    frames: int
    total_bytes: int


@dataclass(frozen=True)
class ScanEnded:
    """A run of a scan is over. `error` is for people."""

    scan_id: str
    outcome: Outcome
    frames_done: int
    frames_planned: int
    retakes: int
    error: str | None = None

    @property
    def resumable(self) -> bool:
        """Whether Resume goes on with it."""
        return self.outcome in (Outcome.FAILED, Outcome.STOPPED)


@dataclass(frozen=True)
class BackgroundStored:
    """The empty turntable was photographed."""

    path: str


@dataclass(frozen=True)
class Warned:
    """Something a person should know, that did not stop the daemon."""

    message: str
    scan_id: str | None = None


@dataclass(frozen=True)
class PressFailed:
    """A press of the button could not be obeyed; whoever pressed cannot be answered. `reason` is for people."""

    command: str
    reason: str


Event = (
    UnfinishedScanFound
    | ScanStarted
    | PhaseChanged
    | FrameJudged
    | FrameStored
    | ScanPaused
    | ScanSealed
    | ScanEnded
    | BackgroundStored
    | Warned
    | PressFailed
)


class Subscription(AsyncIterator[Event]):
    """One listener's queue. A listener that lags loses the oldest events and sees how many in `dropped`."""

    def __init__(self, bus: "EventBus", capacity: int) -> None:
        self._bus = bus
        self._waiting: deque[Event] = deque(maxlen=capacity)
        self._arrived = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Add an event; never waits."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(event)
        self._arrived.set()

    def close(self) -> None:
        """Hear no more; what already waits can still be read."""
        self._closed = True
        self._bus.forget(self)
        self._arrived.set()

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventBus:
    """Hands every event to every listener, in the event loop's thread. A slow listener delays nobody."""

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._subscriptions: list[Subscription] = []
        self._closed = False

    def subscribe(self) -> Subscription:
        """Return an iterator over the events from now on; it ends when the daemon does."""
        subscription = Subscription(self, self._capacity)
        self._subscriptions.append(subscription)
        if self._closed:
            subscription.close()
        return subscription

    def publish(self, event: Event) -> None:
        """Tell everybody; never waits."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def forget(self, subscription: Subscription) -> None:
        """Stop telling this listener."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def close(self) -> None:
        """End every listener's iteration once it has read what waits."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
