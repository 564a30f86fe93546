"""Trying again: growing pauses with jitter, a note for people each time, and an end where one is wanted."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from offload.sync.client import TryAgain

Result = TypeVar("Result")
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 20.0
GROWTH = 1.6


@dataclass(frozen=True)
class Patience:
    """How long to go on in one stretch of trouble; None is for ever."""

    limit_s: float | None = None

    async def call(self, attempt: Callable[[], Awaitable[Result]], note: Callable[[str | None], None]) -> Result:
        """Return what `attempt` returns once it works; `note` gets each trouble, and None when it is over.

        Raises the last TryAgain once the limit has passed, and any other error at once.
        """
        began_s, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                result = await attempt()
            except TryAgain as trouble:
                note(str(trouble))
                wait_s = max(trouble.pause_s, pause_s * random.uniform(0.5, 1.0))
                if self.limit_s is not None and time.monotonic() + wait_s > began_s + self.limit_s:
                    raise
            else:
                note(None)
                return result
            await asyncio.sleep(wait_s)
            pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
