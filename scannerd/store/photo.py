"""A frame as a JPEG that other programs understand, and its small copy."""

import math
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import piexif
import simplejpeg
from numpy.typing import NDArray

from drivers.picture import Planes
from offload.wire.bundle import CameraModel

THUMBNAIL_WIDTH_PX = 320
FILM_DIAGONAL_MM = math.hypot(36, 24)
SMALL_FILE_BYTES = 60_000
"""No photo of a megapixel is smaller than this, no thumbnail larger."""

Pixels = NDArray[np.uint8]


class PhotoFault(RuntimeError):
    """Pixels that cannot become a photo, or a photo that cannot be read."""


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """Encode (height, width, 3) RGB."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PhotoFault(f"pixels of shape {pixels.shape} could not be encoded as JPEG")
    return data.tobytes()


def encode_planes(picture: Planes, quality: int) -> bytes:
    """Encode without converting a pixel: JFIF, full range, 4:2:0, as the planes are."""
    return bytes(simplejpeg.encode_jpeg_yuv_planes(picture.y, picture.u, picture.v, quality=quality))


def _rational(value: float, largest_denominator: int = 1_000_000) -> tuple[int, int]:
    fraction = Fraction(value).limit_denominator(largest_denominator)
    return fraction.numerator, fraction.denominator


def _equivalent_mm(camera: CameraModel, width_px: int, height_px: int) -> int:
    """Return which lens shows as much on 35 mm film, in whole mm: by the diagonals, as CIPA DCG-001 defines it."""
    diagonal_mm = math.hypot(width_px, height_px) * camera.pixel_pitch_um / 1000
    return min(65535, max(1, round(camera.focal_length_mm * FILM_DIAGONAL_MM / diagonal_mm)))


def with_exif(
    jpeg: bytes, camera: CameraModel, exposure_us: float, analogue_gain: float, taken_at: datetime, software: str
) -> bytes:
    """Return the JPEG with what photogrammetry programs look for; `taken_at` is written as local time with offset."""
    local = taken_at.astimezone()
    offset = local.strftime("%z")
    pixels_per_cm = 10_000 / camera.pixel_pitch_um
    height_px, width_px, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    tags = {
        "0th": {
            piexif.ImageIFD.Make: camera.make.encode(),
            piexif.ImageIFD.Model: camera.model.encode(),
            piexif.ImageIFD.Software: software.encode(),
        },
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: local.strftime("%Y:%m:%d %H:%M:%S").encode(),
            piexif.ExifIFD.SubSecTimeOriginal: f"{local.microsecond // 1000:03d}".encode(),
            piexif.ExifIFD.OffsetTimeOriginal: f"{offset[:3]}:{offset[3:5]}".encode(),
            piexif.ExifIFD.ExposureTime: _rational(exposure_us / 1e6),
            piexif.ExifIFD.ISOSpeedRatings: min(65535, round(100 * analogue_gain)),
            piexif.ExifIFD.FocalLength: _rational(camera.focal_length_mm, 1000),
            piexif.ExifIFD.FocalLengthIn35mmFilm: _equivalent_mm(camera, width_px, height_px),
            piexif.ExifIFD.FocalPlaneXResolution: _rational(pixels_per_cm, 1000),
            piexif.ExifIFD.FocalPlaneYResolution: _rational(pixels_per_cm, 1000),
            piexif.ExifIFD.FocalPlaneResolutionUnit: 3,  # EXIF's code for centimetres
        },
    }
    whole = BytesIO()
    piexif.insert(piexif.dump(tags), jpeg, whole)
    return whole.getvalue()


def read_grey(path: Path) -> Pixels:
    """Decode a whole photo as (height, width) grey. Raises PhotoFault."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise PhotoFault(f"{path}: not there, or not a whole JPEG")
    return np.asarray(grey, np.uint8)


def thumbnail_jpeg(small: Planes) -> bytes:
    """Return a photo's small companion, smaller still, as JPEG."""
    return encode_planes(small.shrunk_to_width(THUMBNAIL_WIDTH_PX), 80)


def read_small(path: Path) -> Pixels:
    """Decode a photo, or a thumbnail, at thumbnail width, RGB, never holding a whole photo. Raises PhotoFault."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise PhotoFault(f"{path}: cannot be read: {error.strerror}") from error
    # The decoder itself makes one pixel of each 4x4; a thumbnail is small enough as it is.
    way = cv2.IMREAD_COLOR if data.size < SMALL_FILE_BYTES else cv2.IMREAD_REDUCED_COLOR_4
    reduced = cv2.imdecode(data, way) if data.size else None
    if reduced is None:
        raise PhotoFault(f"{path}: {data.size} bytes that are not a whole JPEG")
    height = max(1, round(reduced.shape[0] * THUMBNAIL_WIDTH_PX / reduced.shape[1]))
    small = cv2.resize(reduced, (THUMBNAIL_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)
