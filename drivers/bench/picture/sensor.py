"""From light on the sensor to the levels of a photo: exposure, white balance, noise and the tone curve."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats
from drivers.bench.picture.textures import linear_to_srgb
from drivers.bench.scene import Exposure

GREY_GAINS = (2.1, 1.9)
"""Red and blue gains under which grey looks grey: the sensor's green is that much more sensitive."""
NOMINAL_EXPOSURE_US = 20_000.0
FULL_WELL_ELECTRONS_AT_1600 = 24_000.0
"""Of what becomes one pixel of a photo 1600 px wide: about six of the sensor's own."""
_READ_NOISE_ELECTRONS = 6.0
_CURVE_STEPS = 16_384
_STOCK_PLACES = 1 << 20
_CURVE = np.asarray(linear_to_srgb(np.linspace(0, 1, _CURVE_STEPS, dtype=np.float32)) * 255 + 0.5, dtype=np.uint8)


class Sensor:
    """One exposure. Light of 1 saturates green at 20 000 µs and gain 1."""

    def __init__(self, exposure: Exposure) -> None:
        sensitivity = np.array([1 / GREY_GAINS[0], 1.0, 1 / GREY_GAINS[1]], np.float32)
        amount = exposure.brightness * exposure.exposure_us / NOMINAL_EXPOSURE_US * exposure.analogue_gain
        well = FULL_WELL_ELECTRONS_AT_1600 * (1600 / exposure.width_px) ** 2
        gains = np.array([exposure.colour_gains[0], 1.0, exposure.colour_gains[1]], np.float32)
        self._raw_from_light = sensitivity * np.float32(amount) * np.array(exposure.tint, np.float32)
        self._per_electron = np.float32(exposure.analogue_gain / well)
        self._read_variance = np.float32((_READ_NOISE_ELECTRONS * exposure.analogue_gain / well) ** 2)
        self._steps_from_raw = gains * np.float32(_CURVE_STEPS - 1)
        shape = (exposure.height_px, exposure.width_px, 3)
        self._noise = _noise_for(int(np.prod(shape)), exposure.noise_seed).reshape(shape)

    def rows(self, light: Floats, first: int) -> NDArray[np.uint8]:
        """Return the levels (h, W, 3) of some rows of the photo, given their light and where they start."""
        raw = light * self._raw_from_light
        noise = raw * self._per_electron
        noise += self._read_variance
        np.sqrt(noise, out=noise)
        noise *= self._noise[first : first + len(light)]
        raw += noise
        np.clip(raw, 0, 1, out=raw)
        raw *= self._steps_from_raw
        np.minimum(raw, np.float32(_CURVE_STEPS - 1), out=raw)
        return np.asarray(_CURVE.take(raw.astype(np.int32)))


def _noise_for(count: int, seed: int) -> Floats:
    """Return normal noise (count,): a stretch of one long stock that starts where the seed says."""
    start = int(np.random.default_rng(seed).integers(_STOCK_PLACES))
    return _noise_stock(count + _STOCK_PLACES)[start : start + count]


@lru_cache(maxsize=2)
def _noise_stock(count: int) -> Floats:
    return np.random.Generator(np.random.SFC64(0)).standard_normal(count, dtype=np.float32)
