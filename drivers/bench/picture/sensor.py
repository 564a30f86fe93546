"""From light on the sensor to the levels of a photo: exposure, white balance, noise and the tone curve."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats
from drivers.bench.picture.textures import linear_to_srgb
from drivers.bench.scene import Exposure

GREY_GAINS = (2.1, 1.9)
"""Red and blue gains under which grey looks grey: the sensor's green is that much more sensitive."""
NOMINAL_EXPOSURE_US = 20_000.0
_FULL_WELL_ELECTRONS_AT_1600 = 24_000.0
"""Of what becomes one pixel of a photo 1600 px wide: about six of the sensor's own."""
_READ_NOISE_ELECTRONS = 6.0
_CURVE_STEPS = 16_384
_CURVE = np.asarray(linear_to_srgb(np.linspace(0, 1, _CURVE_STEPS, dtype=np.float32)) * 255 + 0.5, dtype=np.uint8)


def photograph(light: Floats, exposure: Exposure) -> NDArray[np.uint8]:
    """Return the photo (H, W, 3) of the light (H, W, 3), where 1 saturates green at 20 000 µs and gain 1."""
    balance = (exposure.colour_gains[0] / GREY_GAINS[0], 1.0, exposure.colour_gains[1] / GREY_GAINS[1])
    amount = exposure.exposure_us / NOMINAL_EXPOSURE_US * exposure.analogue_gain
    well = _FULL_WELL_ELECTRONS_AT_1600 * (1600 / exposure.width_px) ** 2
    per_electron = exposure.analogue_gain / well
    rng = np.random.Generator(np.random.SFC64(exposure.noise_seed))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    raw_share = np.array([1 / GREY_GAINS[0], 1.0, 1 / GREY_GAINS[1]], np.float32)
    raw = light * (raw_share * np.float32(amount))
    np.maximum(raw, 0, out=raw)
    noise *= np.sqrt(raw * np.float32(per_electron) + np.float32((_READ_NOISE_ELECTRONS * per_electron) ** 2))
    raw += noise
    np.clip(raw, 0, 1, out=raw)
    raw *= np.array(balance, np.float32) / raw_share * np.float32(_CURVE_STEPS - 1)
    np.minimum(raw, np.float32(_CURVE_STEPS - 1), out=raw)
    return np.asarray(_CURVE[raw.astype(np.uint16)])
