"""What a person makes of a lamp who cannot see colours and has no watch: counts and proportions of light and dark."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from drivers.bench.install import Bench

Change = tuple[float, bool]
"""When, and whether it is lit from then on."""


def changes(bench: Bench) -> list[Change]:
    """Return the last changes of the lamp on this bench."""
    return [(flash.at_s, flash.lit) for flash in bench.world.lamp.flashes()]


async def wait_until(holds: Callable[[], bool], deadline_s: float) -> None:
    """Return once it holds. What happens on the bench's wires tells nobody; it has to be looked at."""
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def runs(changes: Sequence[Change]) -> list[tuple[bool, float]]:
    """Return light and darkness with how long each lasted; the last one has no end yet and is left out."""
    merged: list[Change] = []
    for change in changes:
        if not merged or merged[-1][1] is not change[1]:
            merged.append(change)
    return [(lit, later_s - at_s) for (at_s, lit), (later_s, _) in pairwise(merged)]


def mood_of(changes: Sequence[Change]) -> str:
    """Return what the lamp said, from changes that begin and end anywhere in its pattern."""
    seen = runs(changes)[1:]
    if not seen:
        return "idle" if changes and changes[-1][1] else "nobody home"
    light = [seconds for lit, seconds in seen if lit]
    dark = [seconds for lit, seconds in seen if not lit]
    if max(light) < 0.16 and max(dark) < 0.16:
        return "warning"
    if max(light) < 0.5 and max(dark) < 0.5:
        return "fault"
    if max(dark) < 0.5:
        return "done"
    if min(light) > 0.5:
        return "scanning"
    return {1: "uploading", 2: "paused", 3: "asking"}.get(_flashes_between_rests(seen), "nothing known")


def code_of(changes: Sequence[Change]) -> str:
    """Return the digits from one long flash to the next: each is the flashes between two rests."""
    digits, flashes, begun = "", 0, False
    for lit, seconds in runs(changes):
        if lit and seconds > 1.2:
            if digits:
                return digits
            begun = True
        elif lit and begun:
            flashes += 1
        elif begun and seconds > 1.0 and flashes:
            digits, flashes = digits + str(flashes), 0
    return digits


def _flashes_between_rests(seen: Iterable[tuple[bool, float]]) -> int | None:
    flashes: int | None = None
    for lit, seconds in seen:
        if not lit and seconds > 1.0:
            if flashes is not None:
                return flashes
            flashes = 0
        elif lit and flashes is not None:
            flashes += 1
    return None
