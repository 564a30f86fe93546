"""The move to the next viewpoint, begun as soon as the photo is in the camera's memory: it is copied meanwhile.

A copy of 12 megapixels takes as long as a tenth of a move, and nothing about it needs the table to stand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from drivers.protocols import DriverError
from scannerd.scan.plan import Viewpoint

T = TypeVar("T")


class HeadStart(Generic[T]):
    """At most one move that nobody waits for yet. Without a group of tasks to run in, none begins."""

    def __init__(self, turn: Callable[[Viewpoint], Awaitable[T]]) -> None:
        """`turn` makes a move and returns what is to be known of it."""
        self._turn = turn
        self._group: asyncio.TaskGroup | None = None
        self._under_way: tuple[Viewpoint, asyncio.Task[T | DriverError]] | None = None

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """Let moves be tasks of this group, which outlives them."""
        self._group = group

    def begin(self, viewpoint: Viewpoint) -> bool:
        """Set out, and return whether it did."""
        if self._group is None or self._under_way is not None:
            return False
        task = self._group.create_task(self._make(viewpoint), name=f"move to viewpoint {viewpoint.index}")
        self._under_way = (viewpoint, task)
        return True

    async def end(self) -> tuple[Viewpoint, T] | None:
        """Return once the table has arrived, where, and what is known of it; None without a move.

        Raises DriverError, which the move ran into.
        """
        if self._under_way is None:
            return None
        viewpoint, task = self._under_way
        self._under_way = None
        ended = await task
        if isinstance(ended, DriverError):
            raise ended
        return viewpoint, ended

    async def _make(self, viewpoint: Viewpoint) -> T | DriverError:
        """A fault is for whoever asks for the end; the group would end the scan for it without saying where."""
        try:
            return await self._turn(viewpoint)
        except DriverError as fault:
            return fault
