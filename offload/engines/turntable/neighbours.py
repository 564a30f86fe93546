"""Which views help which: by the angle between their lines of sight, so that any number of rings will do."""

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.views import Floats, ViewSet

Ids = NDArray[np.int32]

BEST_ANGLE_DEG = 13.0
"""Wide enough for depth (0.2 px is about 0.2 mm here), narrow enough for patches to look alike."""
ANGLE_RATIO_SPREAD = 0.55
"""Standard deviation of ln(angle / best angle) within which a neighbour is about as good."""
WIDEST_ANGLE_DEG = 65.0


def lines_of_sight(views: ViewSet, centre: Floats) -> Floats:
    """Return (V, 3) unit vectors from the object's centre to each camera."""
    towards = views.centres - centre
    return np.asarray(towards / np.linalg.norm(towards, axis=1, keepdims=True))


def choose_neighbours(views: ViewSet, centre: Floats, count: int) -> Ids:
    """Return (V, count) view numbers, most useful first; -1 where fewer views are within reach.

    Usefulness falls with the distance of the angle from BEST_ANGLE_DEG. A view that lies in the same direction
    as one already chosen counts half at most, so that both sides are taken, which is what occlusion asks for.
    """
    sight = lines_of_sight(views, centre)
    angles_deg = np.degrees(np.arccos(np.clip(sight @ sight.T, -1, 1)))
    chosen = np.full((len(views), count), -1, np.int32)
    for view in range(len(views)):
        ranked = _pick(sight[view], sight, angles_deg[view], count)
        chosen[view, : len(ranked)] = ranked
    return chosen


def _pick(own: Floats, sight: Floats, angles_deg: Floats, count: int) -> list[int]:
    with np.errstate(divide="ignore"):
        usefulness = np.exp(-0.5 * (np.log(angles_deg / BEST_ANGLE_DEG) / ANGLE_RATIO_SPREAD) ** 2)
    usefulness[(angles_deg < 1.0) | (angles_deg > WIDEST_ANGLE_DEG)] = 0
    sideways = sight - np.outer(sight @ own, own)
    sideways /= np.maximum(np.linalg.norm(sideways, axis=1, keepdims=True), 1e-9)
    picked: list[int] = []
    while len(picked) < count and usefulness.max() > 0:
        best = int(np.argmax(usefulness))
        picked.append(best)
        same_side = np.clip(sideways @ sideways[best], 0, 1)
        usefulness = usefulness * (1 - 0.5 * same_side)
        usefulness[best] = 0
    return picked
