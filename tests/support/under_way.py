"""Moves that a test interrupts: so long that no slow machine sees their end, and interrupted once they truly turn."""

import asyncio
from collections.abc import Callable

from drivers.bench.install import Bench

FAR_DEG = 3600.0
BEGUN_DEG = 20.0
PATIENCE_S = 60.0


async def under_way(bench: Bench, by_deg: float = BEGUN_DEG) -> None:
    """Return once the platter has turned so far from where it is now."""
    platter = bench.world.platter
    from_deg = platter.settled_angle_deg
    await holds(lambda: abs(platter.settled_angle_deg - from_deg) > by_deg)


async def holds(condition: Callable[[], bool]) -> None:
    """Return once the world is like this: it tells nobody."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
