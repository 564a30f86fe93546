"""Waiting for a storage that is away: a job is not failed for it, it goes on when the storage is back."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from offload.depot.storage import StorageFull, StorageRefused, StorageUnreachable

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
LOOK_S = 0.25
"""Between two looks whether anybody still wants it."""
Result = TypeVar("Result")


class Unwanted(RuntimeError):
    """Nobody wants it any more."""


async def until_stored(
    action: Callable[[], Result], is_unwanted: Callable[[], Awaitable[bool]], about: dict[str, object]
) -> Result:
    """Return the action's result, calling it in a thread until the storage lets it; it must be safe to repeat.

    Raises Unwanted between two tries, and at once whatever waiting cannot help.
    """
    pause_s, told = FIRST_PAUSE_S, ""
    while True:
        try:
            result = await asyncio.to_thread(action)
        except (StorageUnreachable, StorageRefused, StorageFull) as trouble:
            if type(trouble).__name__ != told:
                log.warning("waiting for storage: %s", trouble, extra=about)
                told = type(trouble).__name__
        else:
            if told:
                log.info("storage is back", extra=about)
            return result
        await _pause(pause_s * random.uniform(0.5, 1.0), is_unwanted)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _pause(length_s: float, is_unwanted: Callable[[], Awaitable[bool]]) -> None:
    end_s = time.monotonic() + length_s
    while (left_s := end_s - time.monotonic()) > 0:
        if await is_unwanted():
            raise Unwanted
        await asyncio.sleep(min(LOOK_S, left_s))
