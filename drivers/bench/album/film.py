"""Other light, gain and noise than a stored picture was rendered with, fast enough for real time."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.sensor import FULL_WELL_ELECTRONS_AT_1600, GREY_GAINS, NOMINAL_EXPOSURE_US
from drivers.bench.picture.textures import linear_to_srgb, srgb_to_linear
from drivers.bench.scene import Exposure
from drivers.picture import Planes

Bytes = NDArray[np.uint8]
_NOISE_AT_MIDTONES = 89.0
"""Grey levels of noise in Y, times the root of the full well in electrons, at gain 1.

Shot noise of light L is √(L / well) of the full scale; the tone curve, about L^(1/2.2), turns it into
255 / 2.2 · L^(1/2.2 - 1 + 1/2), which hardly depends on L; Y weighs the noise of red, green and blue, the outer two
amplified by their gains, to three quarters of it.
"""
_STOCK_PLACES = 1 << 16
_SAME_GAIN = 0.03


def grain(y: Bytes, width_px: int, gain: float, seed: int) -> Bytes:
    """Return Y (height, width) with the noise of a sensor whose whole picture is `width_px` wide."""
    well = FULL_WELL_ELECTRONS_AT_1600 * (1600 / width_px) ** 2
    brighter, darker = _stock(y.size, round(_NOISE_AT_MIDTONES * (gain / well) ** 0.5, 2))
    start = int(np.random.default_rng(seed).integers(_STOCK_PLACES))
    stretch = slice(start, start + y.size)
    # Two saturating sums of bytes are ten times as fast as one with a sign.
    brightened = cv2.add(y, brighter[stretch].reshape(y.shape))
    return np.asarray(cv2.subtract(brightened, darker[stretch].reshape(y.shape)), np.uint8)


def lit(planes: Planes, exposure: Exposure) -> Planes:
    """Return the picture as this exposure's time, gain, light and white balance would have made it.

    The stored one was made with the nominal ones. Exact for grey; what was clipped stays so.
    """
    red, blue = (gain / usual for gain, usual in zip(exposure.colour_gains, GREY_GAINS, strict=True))
    amount = exposure.brightness * exposure.analogue_gain * exposure.exposure_us / NOMINAL_EXPOSURE_US
    if abs(red - 1) > _SAME_GAIN or abs(blue - 1) > _SAME_GAIN:
        return _through_rgb(planes, (red * amount, amount, blue * amount))
    if abs(amount - 1) < 0.005:
        return planes
    curve = _curve(amount)
    # Colour differences grow as brightness does in the middle of the curve.
    centred = np.arange(256, dtype=np.float32) - 128
    colour = np.clip(np.rint(centred * amount ** (1 / 2.2)) + 128, 0, 255).astype(np.uint8)
    return Planes(
        *(
            np.asarray(cv2.LUT(plane, table), np.uint8)
            for plane, table in zip((planes.y, planes.u, planes.v), (curve, colour, colour), strict=True)
        )
    )


def _through_rgb(planes: Planes, amounts: tuple[float, float, float]) -> Planes:
    table = np.stack([_curve(amount) for amount in amounts], axis=-1).reshape(1, 256, 3)
    return Planes.from_rgb(np.asarray(cv2.LUT(planes.rgb(), table), np.uint8))


@lru_cache(maxsize=64)
def _curve(amount: float) -> Bytes:
    """Return the level (256,) that each level becomes when there is this much as light as before."""
    light = srgb_to_linear(np.arange(256, dtype=np.uint8)) * amount
    return np.asarray(np.rint(linear_to_srgb(np.clip(light, 0, 1).astype(np.float32)) * 255), np.uint8)


@lru_cache(maxsize=4)
def _stock(count: int, levels: float) -> tuple[Bytes, Bytes]:
    """Return what is to be added and what is to be taken away, (n,) each; one of the two is 0."""
    random = np.random.Generator(np.random.SFC64(0))
    noise = np.rint(random.standard_normal(count + _STOCK_PLACES, dtype=np.float32) * levels)
    return np.clip(noise, 0, 255).astype(np.uint8), np.clip(-noise, 0, 255).astype(np.uint8)
