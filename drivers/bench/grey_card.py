"""The cheapest thing to photograph, for tests of everything but the picture."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.scene import Exposure

LEVELS_PER_US = 1 / 200
NEUTRAL_GAINS = (2.1, 1.9)


class GreyCard:
    """A `PictureSource`: a grey card filling the view, whose level tells light, exposure, gain and white balance.

    20 000 µs at gain 1 give a level of 100, linearly. Remembers every exposure that somebody looked at.
    """

    def __init__(self) -> None:
        """Nothing photographed yet."""
        self.exposures: list[Exposure] = []

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        """Fill the picture."""
        self.exposures.append(exposure)
        light = exposure.brightness * exposure.exposure_us * exposure.analogue_gain * LEVELS_PER_US
        red, blue = (gain / neutral for gain, neutral in zip(exposure.colour_gains, NEUTRAL_GAINS, strict=True))
        rows = exposure.light_of_rows(0, exposure.height_px)
        grey = np.array([light * red, light, light * blue]) * exposure.tint * (1.0 if rows is None else rows)
        out[:] = np.clip(grey, 0, 255).astype(np.uint8)
