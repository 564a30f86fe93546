"""A mosaic as a DNG, which every raw developer opens: Adobe's Digital Negative Specification 1.4.

Uncompressed, since no lossless compression of DNG's is quick enough for a Pi without a library of its own. A file is
written band by band: a whole mosaic, unpacked, never lies in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from drivers.raw_picture import BAND_ROWS, RawMosaic
from offload.wire.bundle import CameraModel

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
"""TIFF's types."""
COLOUR_FILTER_ARRAY = 32803
FILTER_COLOURS = {"R": 0, "G": 1, "B": 2}
VERSION, READABLE_SINCE = (1, 4, 0, 0), (1, 1, 0, 0)
D65 = 21
"""EXIF's number of the light."""
UPRIGHT = 1
XYZ_FROM_SRGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""IEC 61966-2-1, of D65."""
FINENESS = 1_000_000

Tag = tuple[int, int, int, Any, bool]
"""Number, type, count, value, and that it belongs to the one picture there is."""


@dataclass(frozen=True)
class DngFacts:
    """What is told beside the pixels."""

    camera: CameraModel
    exposure_us: float
    analogue_gain: float
    taken_at: datetime
    software: str


def write_dng(file: IO[bytes], mosaic: RawMosaic, facts: DngFacts) -> None:
    """Write a whole file. Raises OSError."""
    tifffile.imwrite(
        file,
        _strips(mosaic),
        shape=(mosaic.height_px, mosaic.width_px),
        dtype=np.uint16,
        byteorder="<",
        photometric=COLOUR_FILTER_ARRAY,
        rowsperstrip=BAND_ROWS,
        metadata=None,
        software=facts.software,
        subfiletype=0,
        extratags=[*_about_the_photo(facts), *_about_the_pixels(mosaic)],
    )


def _strips(mosaic: RawMosaic) -> Iterator[bytes]:
    for band in mosaic.bands():
        yield band.astype("<u2", copy=False).tobytes()


def _about_the_photo(facts: DngFacts) -> list[Tag]:
    local = facts.taken_at.astimezone()
    name = f"{facts.camera.make} {facts.camera.model}"
    return [
        _text(271, facts.camera.make),
        _text(272, facts.camera.model),
        (274, SHORT, 1, UPRIGHT, True),
        _text(306, local.strftime("%Y:%m:%d %H:%M:%S")),
        _rationals(33434, [facts.exposure_us / 1e6]),
        (34855, SHORT, 1, min(65535, round(100 * facts.analogue_gain)), True),
        _text(36867, local.strftime("%Y:%m:%d %H:%M:%S")),
        _rationals(37386, [facts.camera.focal_length_mm]),
        _text(50708, name),
    ]


def _about_the_pixels(mosaic: RawMosaic) -> list[Tag]:
    red, blue = mosaic.colour_gains
    tags: list[Tag] = [
        (33421, SHORT, 2, (2, 2), True),
        (33422, BYTE, 4, bytes(FILTER_COLOURS[colour] for colour in mosaic.format.pattern), True),
        (50706, BYTE, 4, bytes(VERSION), True),
        (50707, BYTE, 4, bytes(READABLE_SINCE), True),
        (50711, SHORT, 1, 1, True),
        (50713, SHORT, 2, (2, 2), True),
        _rationals(50714, mosaic.black_levels),
        (50717, LONG, 1, mosaic.white_level, True),
        _rationals(50721, _camera_from_xyz(mosaic).reshape(-1), SRATIONAL),
        _rationals(50728, [1 / red, 1.0, 1 / blue]),
        _rationals(50730, [0.0], SRATIONAL),
        (50778, SHORT, 1, D65, True),
    ]
    return tags


def _camera_from_xyz(mosaic: RawMosaic) -> NDArray[np.float64]:
    """Return ColorMatrix1: what the sensor measures of a colour, by the matrix that made the photo's.

    XYZ of what the sensor measures is XYZ of sRGB, times sRGB of balanced colours, times the gains that balance them.
    """
    red, blue = mosaic.colour_gains
    srgb = np.array(mosaic.srgb_from_balanced or np.eye(3).reshape(-1), np.float64).reshape(3, 3)
    return np.asarray(np.linalg.inv(XYZ_FROM_SRGB @ srgb @ np.diag([red, 1.0, blue])))


def _text(number: int, text: str) -> Tag:
    return (number, ASCII, 0, text, True)


def _rationals(number: int, values: Any, kind: int = RATIONAL) -> Tag:
    parts = [Fraction(float(value)).limit_denominator(FINENESS) for value in values]
    flat = tuple(number for part in parts for number in (part.numerator, part.denominator))
    return (number, kind, len(parts), flat, True)
