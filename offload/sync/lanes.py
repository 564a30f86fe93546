"""The few connections, each given to whoever is most urgent at the moment it comes free."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Rank = tuple[int, ...]
"""The least goes first."""


class Lanes:
    """So many at a time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._waiting: list[tuple[Callable[[], Rank], asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taken(self, rank: Callable[[], Rank]) -> AsyncIterator[None]:
        """Hold a connection; `rank` is asked when one comes free, since a person may have chosen meanwhile."""
        await self._take(rank)
        try:
            yield
        finally:
            self._free += 1
            self._give()

    async def _take(self, rank: Callable[[], Rank]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (rank, turn)
        self._waiting.append(entry)
        self._give()
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif not turn.cancelled():  # It was given just before.
                self._free += 1
                self._give()
            raise

    def _give(self) -> None:
        while self._free > 0 and self._waiting:
            entry = min(self._waiting, key=lambda waiting: waiting[0]())
            self._waiting.remove(entry)
            if not entry[1].cancelled():
                self._free -= 1
                entry[1].set_result(None)
