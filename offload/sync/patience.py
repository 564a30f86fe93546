"""Trying again: growing pauses with full jitter, a note for people each time, and an end where one is wanted."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from offload.sync.trouble import TryAgain

Result = TypeVar("Result")
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 60.0
"""Of a service that is gone for a week; it is back at work within this."""
GROWTH = 1.8


def nothing() -> object:
    """What never gets on."""
    return None


@dataclass(frozen=True)
class Patience:
    """How long to go on in one stretch of trouble; None is for ever."""

    limit_s: float | None = None
    chance: random.Random = field(default_factory=random.Random)

    async def call(
        self,
        attempt: Callable[[], Awaitable[Result]],
        note: Callable[[TryAgain | None], None],
        reached: Callable[[], object] = nothing,
    ) -> Result:
        """Return what `attempt` returns once it works; `note` gets each trouble, and None when it is over.

        An attempt after which `reached` is another one has got on: its trouble is a new one, with a short pause.
        Raises the last TryAgain once the limit has passed, and any other error at once.
        """
        clock_s = asyncio.get_running_loop().time
        began_s, most_s, mark = clock_s(), FIRST_PAUSE_S, reached()
        while True:
            try:
                result = await attempt()
            except TryAgain as trouble:
                note(trouble)
                if reached() != mark:
                    began_s, most_s, mark = clock_s(), FIRST_PAUSE_S, reached()
                wait_s = trouble.pause_s + self.chance.uniform(0, most_s)
                if self.limit_s is not None and clock_s() + wait_s > began_s + self.limit_s:
                    raise
            else:
                note(None)
                return result
            await asyncio.sleep(wait_s)
            most_s = min(most_s * GROWTH, LONGEST_PAUSE_S)
