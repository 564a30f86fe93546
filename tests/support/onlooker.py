"""Who pushes buttons and looks: a person before real hardware, the bench's own truth before a simulated one."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pytest

from drivers.bench.install import Bench


class Onlooker(Protocol):
    """What a test of a device asks of the world."""

    async def please(self, what: str, on_bench: Callable[[Bench], None]) -> None:
        """Have something done with the hands; returns once it was asked for, or done."""

    async def saw(self, what: str, on_bench: Callable[[Bench], bool]) -> bool:
        """Return whether this is how the world is."""


class BenchOnlooker:
    """Acts on the bench and looks at its truth."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def please(self, what: str, on_bench: Callable[[Bench], None]) -> None:
        """Do it."""
        await asyncio.to_thread(on_bench, self._bench)

    async def saw(self, what: str, on_bench: Callable[[Bench], bool]) -> bool:
        """Look."""
        return on_bench(self._bench)


class Person:
    """Is asked in the terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")

    async def please(self, what: str, on_bench: Callable[[Bench], None]) -> None:
        """Say it."""
        with self._capture.global_and_fixture_disabled():
            print(f"\n>>> PLEASE: {what}", flush=True)

    async def saw(self, what: str, on_bench: Callable[[Bench], bool]) -> bool:
        """Ask until it is yes or no."""
        return await asyncio.to_thread(self._ask, what)

    def _ask(self, what: str) -> bool:
        with self._capture.global_and_fixture_disabled():
            while True:
                answer = input(f"\n>>> DID YOU SEE: {what}? [y/n] ").strip().lower()
                if answer in ("y", "n"):
                    return answer == "y"
