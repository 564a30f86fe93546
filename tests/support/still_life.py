"""The plainest scene with an object in it, for everything that exposes."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.automatics import NEUTRAL_GAINS
from drivers.bench.picture.textures import linear_to_srgb
from drivers.bench.scene import Exposure
from drivers.protocols import Window

MIDDLE = Window(0.35, 0.3, 0.3, 0.4)


class StillLife:
    """`PictureSource`: a patch in even surroundings; their light is as a share of what saturates at 20 000 µs."""

    def __init__(self, patch: float, around: float, colour: tuple[float, float, float] = (1, 1, 1)) -> None:
        self._patch, self._around = patch, around
        self._colour = np.array(colour, np.float32)
        self.glint = False

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        height, width = out.shape[:2]
        light = np.full((height, width, 3), self._around, np.float32)
        rows, columns = slice(height * 3 // 10, height * 7 // 10), slice(width * 35 // 100, width * 65 // 100)
        shading = np.linspace(0.4, 1.0, columns.stop - columns.start, dtype=np.float32)
        light[rows, columns] = self._patch * shading[None, :, None]
        if self.glint:
            light[rows.start : rows.start + 2, columns.start : columns.start + 3] = 50.0
        red, blue = (gain / neutral for gain, neutral in zip(exposure.colour_gains, NEUTRAL_GAINS, strict=True))
        amount = exposure.brightness * exposure.exposure_us * exposure.analogue_gain / 20_000
        raw = np.clip(light * self._colour * amount * np.array([red, 1, blue], np.float32), 0, 1)
        out[:] = np.clip(linear_to_srgb(raw) * 255 + 0.5, 0, 255).astype(np.uint8)
