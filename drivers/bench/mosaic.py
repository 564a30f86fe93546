"""A picture as the pixels behind a colour filter measured it: one colour each, without white balance or tone curve.

Made of the developed photo, so where that is burnt out the mosaic is full, too, and its detail is the photo's; noise
of single pixels is added.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.scene import Exposure

PATTERN = "RGGB"
BLACK_SHARE = 1 / 16
"""Of full scale: Sony's 4096 of 65536."""
BLACK_OF_16_BITS = round(BLACK_SHARE * 65536)
FULL_WELL_ELECTRONS = 8000.0
READ_NOISE_ELECTRONS = 3.0

Levels = NDArray[np.uint16]


def mosaic(photo: NDArray[np.uint8], exposure: Exposure, size_px: tuple[int, int], bits: int) -> Levels:
    """Return (height, width) levels, RGGB, of a developed photo (h, w, 3), RGB."""
    full = np.asarray(cv2.resize(photo, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)
    linear = srgb_to_linear(full)
    red, blue = exposure.colour_gains
    sensed = np.empty(full.shape[:2], np.float32)
    sensed[0::2, 0::2] = linear[0::2, 0::2, 0] / red
    sensed[0::2, 1::2] = linear[0::2, 1::2, 1]
    sensed[1::2, 0::2] = linear[1::2, 0::2, 1]
    sensed[1::2, 1::2] = linear[1::2, 1::2, 2] / blue
    noise = np.random.Generator(np.random.SFC64(exposure.noise_seed)).standard_normal(sensed.shape, np.float32)
    well = FULL_WELL_ELECTRONS / exposure.analogue_gain
    sensed += noise * np.sqrt(sensed / well + (READ_NOISE_ELECTRONS / well) ** 2)
    white = (1 << bits) - 1
    black = BLACK_OF_16_BITS >> (16 - bits)
    return np.asarray(np.clip(np.round(black + sensed * (white - black)), 0, white), np.uint16)


def in_memory(levels: Levels, pixel_format: str, stride_bytes: int) -> NDArray[np.uint8]:
    """Return them laid out as a raw format wants it, rows padded: (bytes,)."""
    if pixel_format.endswith("_CSI2P"):
        data = _packed(levels, 12 if "12" in pixel_format else 10)
    else:
        data = levels.astype("<u2").view(np.uint8)
    rows = np.zeros((len(levels), stride_bytes), np.uint8)
    rows[:, : data.shape[1]] = data
    return rows.reshape(-1)


def _packed(levels: Levels, bits: int) -> NDArray[np.uint8]:
    """MIPI CSI-2: the high eight bits of two (RAW12) or four (RAW10) pixels, then all of their low bits in a byte."""
    together, low_bits = (2, 4) if bits == 12 else (4, 2)
    groups = levels.reshape(len(levels), -1, together)
    data = np.empty((*groups.shape[:2], together + 1), np.uint8)
    data[..., :together] = groups >> low_bits
    low = groups & ((1 << low_bits) - 1)
    data[..., together] = sum(low[..., place] << (low_bits * place) for place in range(together))
    return data.reshape(len(levels), -1)
