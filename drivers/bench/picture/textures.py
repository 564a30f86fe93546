"""Pictures on surfaces, read no finer than a pixel can show."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats

_ROW = 1024


def srgb_to_linear(levels: NDArray[np.uint8]) -> Floats:
    """Return light from 0 to 1 for sRGB levels 0 to 255 (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.asarray(light.astype(np.float32)[levels])


def linear_to_srgb(light: Floats) -> Floats:
    """Return sRGB from 0 to 1 for light from 0 to 1."""
    light = np.clip(light, 0, 1)
    return np.asarray(np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))


def read_at(picture: NDArray[np.generic], x_px: Floats, y_px: Floats) -> Floats:
    """Return the picture's values at n places between pixels, (n, channels); it repeats beyond its edges."""
    count = len(x_px)
    padded = np.zeros((2, -(-count // _ROW) * _ROW), np.float32)
    padded[0, :count], padded[1, :count] = x_px, y_px
    found = cv2.remap(
        np.asarray(picture),
        padded[0].reshape(-1, _ROW),
        padded[1].reshape(-1, _ROW),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(found, dtype=np.float32).reshape(padded.shape[1], -1)[:count]


class Texture:
    """A texture image with its halved copies. Rows run downwards, v upwards from the lower left corner."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        level = srgb_to_linear(np.ascontiguousarray(pixels[..., :3]))
        self._levels = [level]
        while min(level.shape[:2]) > 4:
            size = (max(level.shape[1] // 2, 1), max(level.shape[0] // 2, 1))
            level = np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
            self._levels.append(level)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self._levels[0].shape[:2]
        return width, height

    def colours(self, uv: Floats, footprint_px: Floats) -> Floats:
        """Return (n, 3), linear RGB; `footprint_px` (n,) says how many texels one photo pixel covers."""
        wanted = np.clip(np.log2(np.maximum(footprint_px, 1e-6)), 0, len(self._levels) - 1)
        finer = np.floor(wanted).astype(np.int32)
        share = (wanted - finer).astype(np.float32)[:, None]
        found = np.zeros((len(uv), 3), np.float32)
        for level in range(len(self._levels)):
            for chosen, weight in ((finer == level, 1 - share), (finer + 1 == level, share)):
                if chosen.any():
                    found[chosen] += self._read(level, uv[chosen]) * weight[chosen]
        return found

    def _read(self, level: int, uv: Floats) -> Floats:
        picture = self._levels[level]
        height, width = picture.shape[:2]
        u, v = uv[:, 0] % 1.0, 1.0 - uv[:, 1] % 1.0
        return read_at(picture, u * width - 0.5, v * height - 0.5)
