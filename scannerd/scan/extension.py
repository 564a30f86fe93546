"""Viewpoints added to a scan that has begun: the frozen plan stays, and these follow it, numbered on."""

import math
from collections.abc import Sequence
from itertools import product

from scannerd.commands import Extension
from scannerd.scan.pattern import MOST_PHOTOS, MOST_RINGS, ImpossiblePattern
from scannerd.scan.plan import Viewpoint


def extension_of(viewpoints: Sequence[Viewpoint], wish: Extension) -> tuple[Viewpoint, ...]:
    """Return the viewpoints to add to these. Raises ImpossiblePattern.

    They are turned to after everything that is planned already, once round the same way; each is one plain photo, of
    every camera. What the wish says of ring and elevation is the first camera's.
    """
    last = viewpoints[-1]
    side = max(view.side for view in viewpoints) + wish.turn_over
    ring, elevation_deg = _ring(viewpoints, wish, side)
    angles_deg = _angles_deg(wish)
    turn_deg = 360 * (math.floor(max(view.angle_deg for view in viewpoints) / 360) + 1)
    cameras = _cameras(viewpoints, elevation_deg)
    total = len(viewpoints) + len(angles_deg) * len(cameras)
    if total > MOST_PHOTOS:
        raise ImpossiblePattern(f"{total} photos: a scan has at most {MOST_PHOTOS}; add fewer")
    return tuple(
        Viewpoint(
            index=index, ring=ring, side=side, elevation_deg=height_deg, angle_deg=turn_deg + angle_deg, camera=camera
        )
        for index, (angle_deg, (camera, height_deg)) in enumerate(product(angles_deg, cameras), last.index + 1)
    )


def _cameras(viewpoints: Sequence[Viewpoint], elevation_deg: float | None) -> list[tuple[int, float | None]]:
    """Return every camera's number with its elevation; all but the first stay where they are."""
    others = {view.camera: view.elevation_deg for view in viewpoints if view.camera}
    return [(0, elevation_deg), *sorted(others.items())]


def _angles_deg(wish: Extension) -> list[float]:
    if wish.angles_deg and wish.views:
        raise ImpossiblePattern("views and angles_deg: give one of them")
    if wish.views:
        return [number * 360 / wish.views for number in range(wish.views)]
    if not wish.angles_deg:
        raise ImpossiblePattern("nothing to add: give views for a whole ring, or angles_deg")
    if not all(map(math.isfinite, wish.angles_deg)):
        raise ImpossiblePattern(f"angles_deg = {list(wish.angles_deg)}: use numbers")
    return sorted({angle_deg % 360 for angle_deg in wish.angles_deg})


def _ring(viewpoints: Sequence[Viewpoint], wish: Extension, side: int) -> tuple[int, float | None]:
    """Return the ring's number and where its camera stands: of one that is there, or of a new one."""
    viewpoints = [view for view in viewpoints if view.camera == 0]
    known = {view.ring: view.elevation_deg for view in viewpoints if view.side == side}
    if wish.ring is None and wish.elevation_deg is None:
        ring = viewpoints[-1].ring if known else 0
        return ring, known.get(ring, next((view.elevation_deg for view in viewpoints if view.ring == ring), None))
    if wish.ring is None:
        # Frames of one ring share one camera: another height is another ring.
        same = [ring for ring, elevation_deg in known.items() if elevation_deg == wish.elevation_deg]
        ring = same[0] if same else max(known, default=-1) + 1
    else:
        ring = wish.ring
    if ring in known and wish.elevation_deg not in (None, known[ring]):
        raise ImpossiblePattern(
            f"ring {ring + 1} stands at {known[ring]}°, not at {wish.elevation_deg}°; leave one out"
        )
    if ring not in known and ring > max(known, default=-1) + 1:
        raise ImpossiblePattern(
            f"ring = {ring}: this side has rings 0 to {max(known, default=-1)}; a new one is next"
        )
    if ring >= MOST_RINGS:
        raise ImpossiblePattern(f"{ring + 1} rings: a side has at most {MOST_RINGS}")
    return ring, known.get(ring, wish.elevation_deg)
