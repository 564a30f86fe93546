"""The files that a simulated DSLR makes of a photo."""

from fractions import Fraction
from io import BytesIO

import numpy as np
import piexif
import simplejpeg
from numpy.typing import NDArray

from drivers.bench.dslr_settings import DslrSettings
from drivers.picture import Planes

QUALITY = 97
FOCAL_LENGTH_MM, ON_FILM_MM = 35.0, 56
"""As its EXIF has it: a sensor 22.5 mm wide."""
LEFT_SIDE_DOWN = 8
RAW_MARK = b"II*\x00\x10\x00\x00\x00CR\x02\x00"


def jpeg_file(picture: Planes, settings: DslrSettings, model: str, *, sideways: bool) -> bytes:
    """Return a photo with EXIF as a camera writes it."""
    seconds = Fraction(settings.exposure_us / 1e6).limit_denominator(8000)
    tags = {
        "0th": {
            piexif.ImageIFD.Make: b"Bench Inc.",
            piexif.ImageIFD.Model: model.encode(),
            piexif.ImageIFD.Orientation: LEFT_SIDE_DOWN if sideways else 1,
        },
        "Exif": {
            piexif.ExifIFD.ExposureTime: (seconds.numerator, seconds.denominator),
            piexif.ExifIFD.ISOSpeedRatings: round(100 * settings.gain),
            piexif.ExifIFD.FocalLength: (round(FOCAL_LENGTH_MM * 10), 10),
            piexif.ExifIFD.FocalLengthIn35mmFilm: ON_FILM_MM,
            piexif.ExifIFD.LensModel: b"Bench 35mm f/4",
        },
    }
    plain = simplejpeg.encode_jpeg_yuv_planes(picture.y, picture.u, picture.v, quality=QUALITY)
    whole = BytesIO()
    piexif.insert(piexif.dump(tags), bytes(plain), whole)
    return whole.getvalue()


def preview_file(picture: Planes) -> bytes:
    """Return one picture of a live view."""
    return bytes(simplejpeg.encode_jpeg_yuv_planes(picture.y, picture.u, picture.v, quality=80))


def raw_file(mosaic: NDArray[np.uint16]) -> bytes:
    """Return something that only its maker's program reads."""
    return RAW_MARK + mosaic.astype("<u2").tobytes()
