"""How much of the object is lost to white or black."""

from dataclasses import dataclass

import numpy as np

from drivers.picture import Plane

WHITE, BLACK = 250, 4
EVERY_NTH_PX = 2
"""A quarter of the pixels counts as well as all of them."""


@dataclass(frozen=True)
class Clipping:
    """What the object lost."""

    white: float
    """Share of it, 0 to 1, at the end of the scale: neither shape nor colour is left there."""
    black: float
    """Share of it, 0 to 1, in which nothing is left but noise."""
    brightest: float
    """Level that one in fifty of its pixels exceeds."""


def clipping_of(small: Plane, mask: Plane) -> Clipping | None:
    """Judge brightness (h, w) where the mask is 255; None where it is nowhere."""
    step = (slice(None, None, EVERY_NTH_PX),) * 2
    levels = small[step][mask[step] > 0]
    if not levels.size:
        return None
    counts = np.bincount(levels, minlength=256)
    share = np.cumsum(counts) / levels.size
    return Clipping(
        white=float(counts[WHITE:].sum() / levels.size),
        black=float(share[BLACK]),
        brightest=float(np.searchsorted(share, 0.98)),
    )
