"""Feeds systemd's watchdog with progress: a daemon whose loop turns while its camera hangs is not alive."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from scannerd.process.manager import ServiceManager

LOG = logging.getLogger(__name__)

LONGEST_PERIOD_S = 5.0
"""Between two looks; a watchdog of a few seconds asks for more."""
MEALS = 4
"""Looks in one period of the watchdog: one that comes late does no harm."""


@dataclass(frozen=True)
class Lap:
    """What the daemon does at a moment, and how long it may."""

    what: str
    """For people: `scan cup, frame 17: capturing`."""
    age_s: float
    deadline_s: float | None
    """None for what waits for people."""


class Watched(Protocol):
    """What the watchdog looks at."""

    @property
    def lap(self) -> Lap:
        """The phase that runs, its age, and its deadline."""

    @property
    def answer_s(self) -> float:
        """The longest that the desk may take to answer."""

    async def ping(self) -> None:
        """Return once the desk has answered through its own queue."""


class Watchdog:
    """Tells the service manager `alive` only while the phase is young enough and the desk answers."""

    def __init__(
        self,
        watched: Watched,
        manager: ServiceManager,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watched = watched
        self._manager = manager
        self._now_s = now_s
        self._sleep = sleep
        self._asked_s: float | None = None
        self._told: str | None = None
        self.period_s = min(LONGEST_PERIOD_S, (manager.watchdog_s or math.inf) / MEALS)

    async def run(self) -> None:
        """Look and feed until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ping_for_ever(), name="watchdog: ping")
            group.create_task(self._feed_for_ever(), name="watchdog: feed")

    def trouble(self) -> str | None:
        """Say what hangs, and for how long; None while everything goes on."""
        lap = self._watched.lap
        if lap.deadline_s is not None and lap.age_s > lap.deadline_s:
            return f"{lap.what} has lasted {lap.age_s:.0f} s, at most {lap.deadline_s:.0f} s expected"
        waited_s = 0.0 if self._asked_s is None else self._now_s() - self._asked_s
        if waited_s > self._watched.answer_s:
            return f"commands are not answered: {waited_s:.0f} s, at most {self._watched.answer_s:.0f} s expected"
        return None

    def feed(self) -> None:
        """Look once, and tell the service manager when all is well."""
        trouble = self.trouble()
        if trouble is None:
            self._manager.alive()
            if self._told is not None:
                LOG.warning("it goes on after all: %s", self._told)
        elif self._told is None:
            consequence = "systemd will restart the daemon" if self._manager.watchdog_s else "restart the daemon"
            LOG.critical("%s; %s", trouble, consequence)
        self._told = trouble

    async def _feed_for_ever(self) -> None:
        while True:
            self.feed()
            await self._sleep(self.period_s)

    async def _ping_for_ever(self) -> None:
        while True:
            self._asked_s = self._now_s()
            await self._watched.ping()
            self._asked_s = None
            await self._sleep(self.period_s)
