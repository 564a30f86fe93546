"""How much of a photo's middle is lost to white or black."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scannerd.quality.edges import middle_of

WHITE, BLACK = 252, 3
EVERY_NTH_PX = 4
"""A sixteenth of the pixels counts as well as all of them."""


@dataclass(frozen=True)
class Clipping:
    """Fractions of the photo's middle, 0 to 1."""

    white: float
    """All three channels at the end of their scale: neither shape nor colour is left there."""
    black: float


def clipping_of(pixels: NDArray[np.uint8]) -> Clipping:
    """Return what is lost in the middle of (height, width, 3)."""
    sample = middle_of(pixels)[::EVERY_NTH_PX, ::EVERY_NTH_PX]
    return Clipping(
        white=float(np.mean(sample.min(axis=2) >= WHITE)), black=float(np.mean(sample.max(axis=2) <= BLACK))
    )
