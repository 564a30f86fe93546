"""What a job asks of the worker that takes it, and whether one has it.

A need is the name of a capability (`cuda`, `meshroom`), or `memory:16`: at least so many gigabytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MEMORY = "memory"
_NEED = re.compile(r"[a-z][a-z0-9_-]{0,39}|memory:[0-9]{1,4}(\.[0-9])?")


class NotANeed(ValueError):
    """The text names nothing that a worker can have; the message says how to write it."""


def read_needs(text: str) -> tuple[str, ...]:
    """Return the needs of a list with commas, sorted. Raises NotANeed."""
    needs = sorted({word.strip().lower() for word in text.split(",") if word.strip()})
    for need in needs:
        if not _NEED.fullmatch(need) or need == MEMORY:
            raise NotANeed(f"{need!r} is no capability; write a name such as cuda, or memory:16 for 16 GB")
    return tuple(needs)


@dataclass(frozen=True)
class Abilities:
    """What one worker has."""

    capabilities: frozenset[str] = frozenset()
    memory_gb: float = 0.0

    def lacks(self, needs: Iterable[str]) -> list[str]:
        """Return what of these needs it does not have."""
        return [need for need in needs if not self._has(need)]

    def _has(self, need: str) -> bool:
        name, _, amount = need.partition(":")
        return self.memory_gb >= float(amount) if name == MEMORY and amount else need in self.capabilities
