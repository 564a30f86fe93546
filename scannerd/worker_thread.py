"""One thread for what blocks: judging, encoding and writing, never two at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WorkerThread:
    """Runs one blocking call after the other, so that journal and disk never see two at a time."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        """Return what the call returns. Cancelling waits until the call is done: what it wrote is whole."""
        done = asyncio.get_running_loop().run_in_executor(self._executor, call)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait({done})
            raise

    def begin(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Start a call whose end somebody awaits later. What it raises comes out there."""
        return asyncio.get_running_loop().run_in_executor(self._executor, call)

    def close(self) -> None:
        """Wait for the last call and end the thread; safe to call twice."""
        self._executor.shutdown()
