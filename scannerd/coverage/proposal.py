"""What would show the parts that photos show too little so far: a turn at another height, or the other side.

Tried on the hull before anybody moves anything: what the cameras of each candidate would see is counted together
with what was seen.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scannerd.commands import Extension
from scannerd.coverage.cameras import camera_at
from scannerd.coverage.report import Proposal, ProposalKind
from scannerd.coverage.sight import sees
from scannerd.coverage.sighting import Sighting
from scannerd.coverage.tally import DOWNWARDS, NEEDED
from scannerd.coverage.voxel_hull import Skin
from scannerd.scan.extension import extension_of
from scannerd.scan.pattern import ImpossiblePattern
from scannerd.scan.plan import Viewpoint

ELEVATIONS_DEG = (10.0, 25.0, 40.0, 55.0, 70.0)
"""Where a camera on a stand can be put."""
APART_DEG = 12.0
"""A ring nearer than this to one that was taken shows nothing new."""
TRIED = 12
"""Cameras of a candidate that are tried; the others see what lies between."""
LEAST_GAIN_SHARE = 0.03
"""Less of the skin is not worth a person's walk to the scanner."""
EASIER = 0.8
"""Moving the camera is less work than turning the object over: it may bring this much less."""

Counts = NDArray[np.uint16]


def best_proposal(
    planned: Sequence[Viewpoint], side: int, sightings: list[Sighting], skin: Skin, seen: Counts
) -> Proposal | None:
    """Return what shows most of what fewer than 3 sharp photos see; None when nothing shows much of it."""
    if not sightings:
        return None
    rings = _rings(planned, side, sightings, skin, seen)
    ring = max(rings, key=lambda one: one.gain_share, default=None)
    flip = _flip(planned, side, sightings, skin, seen)
    if ring is not None and flip is not None and ring.gain_share >= EASIER * flip.gain_share:
        flip = None
    best = flip or ring
    return best if best is not None and best.gain_share >= LEAST_GAIN_SHARE else None


def _rings(
    planned: Sequence[Viewpoint], side: int, sightings: list[Sighting], skin: Skin, seen: Counts
) -> list[Proposal]:
    taken = sorted({round(sighting.elevation_deg) for sighting in sightings})
    views = max(TRIED, _views_in_a_turn(planned, side) // 2)
    proposals = []
    for elevation_deg in ELEVATIONS_DEG:
        if min(abs(elevation_deg - old) for old in taken) < APART_DEG:
            continue
        try:
            viewpoints = extension_of(planned, Extension(views=views, elevation_deg=elevation_deg))
        except ImpossiblePattern:
            continue
        gain = _gain(skin, seen, sightings, [elevation_deg], views)
        says = (
            f"one more turn with the camera looking down at about {elevation_deg:.0f}° (so far "
            f"{', '.join(f'{old}°' for old in taken)}) would show {100 * gain:.0f} % more of the object well: "
            f"{len(viewpoints)} photos"
        )
        proposals.append(Proposal(ProposalKind.RING, viewpoints, gain, elevation_deg, says))
    return proposals


def _flip(
    planned: Sequence[Viewpoint], side: int, sightings: list[Sighting], skin: Skin, seen: Counts
) -> Proposal | None:
    """Turning the object over is the same as a camera from below, where the platter is in nobody's way."""
    if side > 0:
        return None
    elevations = sorted({round(sighting.elevation_deg) for sighting in sightings})
    try:
        viewpoints = _other_side(planned, side)
    except ImpossiblePattern:
        return None
    gain = _gain(skin, seen, sightings, [-float(old) for old in elevations], _views_in_a_turn(planned, side))
    below = float(skin.areas[(seen == 0) & (skin.normals[:, 2] < DOWNWARDS)].sum())
    says = (
        f"no photo shows {100 * float(skin.areas[seen == 0].sum()):.0f} % of the object, {100 * below:.0f} % of it "
        f"underneath: turn it over and scan again: {len(viewpoints)} photos"
    )
    return Proposal(ProposalKind.FLIP, viewpoints, gain, None, says)


def _gain(skin: Skin, seen: Counts, sightings: list[Sighting], elevations_deg: list[float], views: int) -> float:
    """Return the share of the skin that enough photos see only with these turns of so many views."""
    middle = skin.middle_mm
    distance_mm = float(np.median([np.linalg.norm(one.pose.centre_mm - middle) for one in sightings]))
    more = np.zeros(len(skin), np.float32)
    for elevation_deg in elevations_deg:
        for number in range(TRIED):
            pose = camera_at(elevation_deg, 360 * number / TRIED, distance_mm, middle)
            more += sees(Sighting(pose, sightings[0].lens, None, True), skin)
    after = seen + np.floor(more * views / TRIED)
    return round(float(skin.areas[(seen < NEEDED) & (after >= NEEDED)].sum()), 4)


def _views_in_a_turn(planned: Sequence[Viewpoint], side: int) -> int:
    """Return how many places one turn of this side has."""
    places = {(view.ring, view.angle_deg) for view in planned if view.side == side and view.is_plain}
    rings = {ring for ring, _ in places}
    return math.ceil(len(places) / max(1, len(rings)))


def _other_side(planned: Sequence[Viewpoint], side: int) -> tuple[Viewpoint, ...]:
    """The same turns once more, for the object upside down. Raises ImpossiblePattern."""
    elevations_deg = {view.ring: view.elevation_deg for view in planned if view.side == side and view.camera == 0}
    added: tuple[Viewpoint, ...] = ()
    for number, ring in enumerate(sorted(elevations_deg)):
        views = len({view.angle_deg for view in planned if view.side == side and view.ring == ring})
        wish = Extension(views=views, ring=number, elevation_deg=elevations_deg[ring], turn_over=number == 0)
        added += extension_of((*planned, *added), wish)
    return added
