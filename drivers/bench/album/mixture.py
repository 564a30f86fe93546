"""What a platter that turns or swings while the shutter is open shows: a mixture of pictures of it standing. Pure."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence

from drivers.bench.scene import Exposure

Mixture = dict[int, float]
"""Angle of a picture in thousandths of a degree → its share of the light; the shares add up to 1."""

FINE_MDEG = 200
"""Between two pictures this near to each other a mixture shows an angle to a fiftieth of a degree."""
RUSHING_DEG_S = 7.5
"""A platter this fast smears over more than that while the shutter is open."""
STILL_REACH_MDEG = 30
LEAST_SHARE = 0.03
TURN_MDEG = 360_000


def near_mixture(exposure: Exposure, known_mdeg: Sequence[int]) -> Mixture | None:
    """Return the nearest picture for each moment of the exposure; None where one is too far away for a photo."""
    shares: Mixture = defaultdict(float)
    for angle_deg in exposure.platter_angles_deg:
        below, above, share_above = _neighbours(angle_deg, known_mdeg)
        gap_mdeg = (above - below) % TURN_MDEG
        nearest, off_mdeg = (
            (above, (1 - share_above) * gap_mdeg) if share_above > 0.5 else (below, share_above * gap_mdeg)
        )
        if off_mdeg > STILL_REACH_MDEG:
            return None
        shares[nearest] += 1
    return _normalised(shares)


def between_mixture(exposure: Exposure, known_mdeg: Sequence[int]) -> Mixture | None:
    """Return, for each moment, the two pictures round it; None where they are too far apart to show it truly.

    A platter that rushes by may be mixed of distant pictures: nobody can tell in which order it was where.
    """
    rushing = _speed_deg_s(exposure) > RUSHING_DEG_S
    shares: Mixture = defaultdict(float)
    for angle_deg in exposure.platter_angles_deg:
        below, above, share_above = _neighbours(angle_deg, known_mdeg)
        if not rushing and (above - below) % TURN_MDEG > FINE_MDEG:
            return None
        shares[below] += 1 - share_above
        shares[above] += share_above
    return _normalised(shares)


def _neighbours(angle_deg: float, known_mdeg: Sequence[int]) -> tuple[int, int, float]:
    """Return the pictures before and after an angle, and where between them it lies, 0 to 1."""
    at_mdeg = angle_deg * 1000 % TURN_MDEG
    place = bisect(known_mdeg, at_mdeg)
    below, above = known_mdeg[place - 1], known_mdeg[place % len(known_mdeg)]
    gap_mdeg = (above - below) % TURN_MDEG or TURN_MDEG
    return below, above, (at_mdeg - below) % TURN_MDEG / gap_mdeg


def _speed_deg_s(exposure: Exposure) -> float:
    angles_deg = exposure.platter_angles_deg
    return (max(angles_deg) - min(angles_deg)) / (exposure.exposure_us * 1e-6)


def _normalised(shares: Mixture) -> Mixture:
    whole = sum(shares.values())
    large = {angle: share / whole for angle, share in shares.items() if share / whole >= LEAST_SHARE}
    kept = sum(large.values())
    return {angle: share / kept for angle, share in large.items()}
