"""What a sensor saw before anybody made a picture of it: a mosaic of single colours, or a camera's own raw file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint16]
Bytes = NDArray[np.uint8]

BAND_ROWS = 64
"""Unpacked at a time: a whole mosaic of 12 megapixels would need 24 MB more."""
FORMAT = re.compile(r"S(?P<pattern>RGGB|BGGR|GRBG|GBRG)(?P<bits>10|12|16)(?P<packed>_CSI2P)?")


class RawFormatUnknown(ValueError):
    """Nobody here can read these raw pixels. The message says which format it is."""


@dataclass(frozen=True)
class MosaicFormat:
    """How a mosaic lies in memory, by libcamera's and the kernel's name of it, such as SRGGB12_CSI2P."""

    pattern: str
    """Colours of the top left 2 by 2 pixels, row by row."""
    bits: int
    packed: bool
    """As MIPI CSI-2 sends them: the high eight bits of two or four pixels, then a byte with their low ones. Else two
    bytes a pixel, the low one first."""

    @classmethod
    def named(cls, name: str) -> "MosaicFormat":
        """Read a name. Raises RawFormatUnknown."""
        known = FORMAT.fullmatch(name)
        if known is None or (known["packed"] and known["bits"] == "16"):
            raise RawFormatUnknown(
                f"raw pixels in {name} cannot be read, S…10, 12 or 16, packed by CSI-2 or not, can"
            )
        return cls(known["pattern"], int(known["bits"]), bool(known["packed"]))

    def row_bytes(self, width_px: int) -> int:
        """Return what one row takes without padding."""
        return width_px * self.bits // 8 if self.packed else width_px * 2

    def unpacked(self, rows: Bytes, width_px: int) -> Levels:
        """Return (n, width) of rows (n, bytes), which may be padded."""
        data = rows[:, : self.row_bytes(width_px)]
        if not self.packed:
            return (
                np.frombuffer(np.ascontiguousarray(data), np.dtype("<u2"))
                .astype(np.uint16)
                .reshape(len(data), width_px)
            )
        together = 2 if self.bits == 12 else 4
        low_bits = self.bits - 8
        groups = data.reshape(len(data), -1, together + 1)
        low = groups[..., together]
        levels = groups[..., :together].astype(np.uint16) << low_bits
        for place in range(together):
            levels[..., place] |= (low >> (low_bits * place)) & ((1 << low_bits) - 1)
        return np.asarray(levels.reshape(len(data), width_px), np.uint16)


@dataclass(frozen=True)
class RawMosaic:
    """One exposure as the sensor measured it, and what it takes to make the photo's colours of it."""

    rows: Bytes
    """(height, bytes); the caller's own."""
    width_px: int
    format: MosaicFormat
    black_levels: tuple[float, float, float, float]
    """Of the top left 2 by 2 pixels, row by row: what no light measures."""
    colour_gains: tuple[float, float]
    """Red and blue: the white balance of the photo."""
    srgb_from_balanced: tuple[float, ...] | None
    """3 by 3, row by row: linear sRGB of balanced colours; None: the camera did not say."""

    @property
    def height_px(self) -> int:
        """Of the whole mosaic."""
        return len(self.rows)

    @property
    def white_level(self) -> int:
        """Where the sensor is full."""
        return (1 << self.format.bits) - 1

    @property
    def size_bytes(self) -> int:
        """In memory."""
        return int(self.rows.nbytes)

    def bands(self) -> Iterator[Levels]:
        """Yield the mosaic from the top, (n, width) at a time, with at most BAND_ROWS rows."""
        for first in range(0, self.height_px, BAND_ROWS):
            yield self.format.unpacked(self.rows[first : first + BAND_ROWS], self.width_px)


@dataclass(frozen=True)
class RawFile:
    """A camera's own raw file of one exposure, as it came."""

    data: bytes
    ending: str
    """Of its name, such as .nef."""

    @property
    def size_bytes(self) -> int:
        """In memory."""
        return len(self.data)


Raw = RawMosaic | RawFile


def black_levels_of(pattern: str, of_colours: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the top left pixels' levels, row by row, of levels for R, G beside R, G beside B, and B."""
    red, beside_red, beside_blue, blue = of_colours
    row_with_red = pattern.index("R") // 2
    known = {"R": red, "B": blue}
    first, second, third, fourth = (
        known.get(colour, beside_red if place // 2 == row_with_red else beside_blue)
        for place, colour in enumerate(pattern)
    )
    return first, second, third, fourth
