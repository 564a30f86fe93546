"""From where, and how often, a scan looks at its object: sides, rings, angles, brackets. Pure; knows no hardware."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scannerd.commands import Wishes
from scannerd.config import ScanSection
from scannerd.config_motors import LiftSection

MOST_PHOTOS = 4000
"""In one scan: more than anybody has waited for, and what services and engines still take."""
MOST_RINGS = 6


class ImpossiblePattern(ValueError):
    """No scan can be like this. The message says which wish, what was found, and what would do."""


class Stop(NamedTuple):
    """One photo to take: field by field what a `Place` says, and the platter's angle."""

    ring: int
    side: int
    elevation_deg: float | None
    repeat: int
    exposure_ev: float
    focus_offset_dioptres: float
    angle_deg: float
    camera: int


@dataclass(frozen=True)
class Ring:
    """One turn, with the camera at one height."""

    views: int
    elevation_deg: float | None = None
    """Of the camera above the platter; None: a person chooses, or leaves it."""

    def angles_deg(self, turn: int, shifted: bool) -> Iterator[float]:
        """Yield the platter's angles, evenly round the given turn; `shifted` by half a step, they look between."""
        for number in range(self.views):
            yield turn * 360 + (number + shifted / 2) * 360 / self.views


@dataclass(frozen=True)
class Pattern:
    """Every photo of a scan, in the order in which it is taken.

    All cameras at once, everything at one angle before the table moves, one ring before the camera moves, all rings
    before the object is turned over. The platter never turns back: every ring goes on where the one before ended.
    """

    rings: tuple[Ring, ...]
    sides: int = 1
    exposures_ev: tuple[float, ...] = (0.0,)
    """At each angle; 0, the locked exposure, comes first: the others are judged after it."""
    focus_dioptres: tuple[float, ...] = (0.0,)
    repeats: int = 1
    others_deg: tuple[float | None, ...] = ()
    """Where each further camera stands above the platter, if that is known: all of them take every photo."""

    @property
    def photos(self) -> int:
        """How many there will be."""
        at_one_angle = len(self.exposures_ev) * len(self.focus_dioptres) * self.repeats * (1 + len(self.others_deg))
        return self.sides * sum(ring.views for ring in self.rings) * at_one_angle

    def stops(self) -> Iterator[Stop]:
        """Yield every photo in its order."""
        for side in range(self.sides):
            for number, ring in enumerate(self.rings):
                turn = side * len(self.rings) + number
                for angle_deg in ring.angles_deg(turn, shifted=number % 2 == 1):
                    yield from self._at(number, side, ring.elevation_deg, angle_deg)

    def _at(self, ring: int, side: int, elevation_deg: float | None, angle_deg: float) -> Iterator[Stop]:
        for exposure_ev in self.exposures_ev:
            for dioptres in self.focus_dioptres:
                for repeat in range(self.repeats):
                    for camera, height_deg in enumerate((elevation_deg, *self.others_deg)):
                        yield Stop(ring, side, height_deg, repeat, exposure_ev, dioptres, angle_deg, camera)


def bracket(count: int, step: float) -> tuple[float, ...]:
    """Return `count` values `step` apart around 0, which comes first; an even count has one more above than below."""
    values = [round(step * (number - (count - 1) // 2), 6) for number in range(count)]
    return tuple(sorted(values, key=lambda value: (value != 0, value)))


def pattern_of(
    scan: ScanSection,
    wishes: Wishes | None = None,
    lift: LiftSection | None = None,
    others_deg: Sequence[float | None] = (),
) -> Pattern:
    """Return what the settings and one person's wishes ask for; `others_deg` as in `Pattern`.

    Raises ImpossiblePattern.
    """
    wishes = wishes or Wishes()
    pattern = Pattern(
        rings=_rings(scan, wishes, lift),
        sides=wishes.sides or scan.sides,
        exposures_ev=bracket(
            wishes.exposure_bracket or scan.exposure_bracket, wishes.exposure_step_ev or scan.exposure_step_ev
        ),
        focus_dioptres=bracket(
            wishes.focus_bracket or scan.focus_bracket, wishes.focus_step_dioptres or scan.focus_step_dioptres
        ),
        repeats=wishes.repeats or scan.repeats,
        others_deg=tuple(others_deg),
    )
    if pattern.photos > MOST_PHOTOS:
        raise ImpossiblePattern(
            f"{pattern.photos} photos: a scan has at most {MOST_PHOTOS}; use fewer views, rings, sides, repeats or "
            "brackets"
        )
    return pattern


def _rings(scan: ScanSection, wishes: Wishes, lift: LiftSection | None) -> tuple[Ring, ...]:
    """A person's list goes before a person's number, and that before the settings."""
    views = wishes.ring_views or (() if wishes.views else scan.ring_views)
    elevations_deg = wishes.ring_elevations_deg or scan.ring_elevations_deg
    count = wishes.rings or len(wishes.ring_views or wishes.ring_elevations_deg or ())
    count = count or len(views or elevations_deg) or scan.rings
    _require_length("ring_views", wishes.ring_views, count)
    _require_length("ring_elevations_deg", wishes.ring_elevations_deg, count)
    if not 1 <= count <= MOST_RINGS:
        raise ImpossiblePattern(f"{count} rings: use 1 to {MOST_RINGS}")
    usual = wishes.views or scan.views
    each = [views[ring] if ring < len(views) else usual for ring in range(count)]
    heights = [elevations_deg[ring] if ring < len(elevations_deg) else None for ring in range(count)]
    if lift is not None and lift.driver != "none":
        heights = [_height(lift, heights[ring], ring, count) for ring in range(count)]
    return tuple(Ring(*ring) for ring in zip(each, heights, strict=True))


def _require_length(name: str, wished: tuple[float, ...] | None, count: int) -> None:
    if wished and len(wished) != count:
        raise ImpossiblePattern(f"{name} = {list(wished)}: names {len(wished)} rings of {count}; name each of them")


def _height(lift: LiftSection, wished_deg: float | None, ring: int, count: int) -> float:
    """Return where the lift goes for a ring; where nobody said, the rings share its range evenly."""
    low_deg, high_deg = lift.lowest_deg, lift.highest_deg
    if wished_deg is None:
        return round(low_deg + (ring + 0.5) / count * (high_deg - low_deg), 1)
    if not low_deg <= wished_deg <= high_deg:
        raise ImpossiblePattern(
            f"ring {ring + 1} at {wished_deg:g}°: the lift goes from {low_deg:g}° to {high_deg:g}°; choose between, "
            "or change [lift]"
        )
    return wished_deg
