"""What a scan's own photos have shown so far: what the next ones are compared with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from offload.wire.bundle import Place
from scannerd.quality.look import Aspect

REFERENCE_PHOTOS = 5
"""So many of a ring's first photos say what its photos are like."""


class Measured(Protocol):
    """A finding, as the gate made it or as a sidecar kept it."""

    @property
    def aspect(self) -> str:
        """What was measured."""

    @property
    def value(self) -> float:
        """The number."""


@dataclass
class Reference:
    """The first photos that were kept of one ring, one side up."""

    values: dict[str, list[float]] = field(default_factory=dict)
    photos: int = 0
    first: list[Place] = field(default_factory=list)
    """Where the first of them were taken."""
    against: list[float] = field(default_factory=list)
    """By what factors the light of the latest photos differed from that of those."""

    def count(self, measured: Iterable[Measured], place: Place) -> None:
        """Remember the numbers, as far as there are too few yet."""
        self.photos += 1
        if self.photos <= REFERENCE_PHOTOS:
            self.first.append(place)
        for finding in measured:
            kept = self.values.setdefault(str(finding.aspect), [])
            if len(kept) < REFERENCE_PHOTOS:
                kept.append(finding.value)

    def forget_all(self) -> None:
        """Begin anew: what was kept was not as photos are here."""
        self.values, self.photos, self.first, self.against = {}, 0, [], []

    def least_usual(self, aspect: Aspect) -> float | None:
        """Return the lower median: of two the smaller, of five the third. One bad photo sets no standard."""
        kept = sorted(self.values.get(str(aspect), []))
        return kept[(len(kept) - 1) // 2] if kept else None


class References:
    """Every ring, side and place of the camera has its own: light and sharpness differ from there."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[int, int, int], Reference] = {}

    def of(self, place: Place, room: int = 0) -> Reference:
        """Return what is known of this ring and side, seen from one room's stand; empty at first."""
        return self._by_place.setdefault((place.ring, place.side, room), Reference())

    def forget(self, aspects: Iterable[Aspect]) -> None:
        """A person wants them so from now on: the next photos say what is usual."""
        for reference in list(self._by_place.values()):
            for aspect in aspects:
                reference.values.pop(str(aspect), None)

    @property
    def is_empty(self) -> bool:
        """Whether no photo was kept yet."""
        return not any(reference.values for reference in list(self._by_place.values()))
