"""The files that a DSLR makes of a photo: pixels for the gate, and EXIF as the camera wrote it."""

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import piexif
from numpy.typing import NDArray

from drivers.camera_stream_faults import BrokenPicture
from drivers.picture import Planes

AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
UPRIGHT = 1
FILM_WIDTH_MM = 36.0


@dataclass(frozen=True)
class CameraSays:
    """What a photo's EXIF tells of camera and lens; None where it does not."""

    make: str | None = None
    model: str | None = None
    focal_length_mm: float | None = None
    sensor_width_mm: float | None = None


def pixels_of(jpeg: bytes) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB, as the sensor had it, sides made even. Raises BrokenPicture."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), AS_STORED) if jpeg else None
    if pixels is None:
        raise BrokenPicture(f"camera: {len(jpeg)} bytes that are no whole JPEG; use a shorter USB cable")
    return np.asarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2], np.uint8)


def preview_of(jpeg: bytes, size_px: tuple[int, int]) -> Planes:
    """Return a preview as large as a companion. Raises BrokenPicture."""
    return Planes.from_rgb(np.asarray(cv2.resize(pixels_of(jpeg), size_px, interpolation=cv2.INTER_AREA), np.uint8))


def upright(jpeg: bytes) -> bytes:
    """Return the same photo with an EXIF that asks nobody to turn it: a camera that hangs sideways means no harm."""
    tags = _tags(jpeg)
    if tags is None or tags["0th"].get(piexif.ImageIFD.Orientation, UPRIGHT) == UPRIGHT:
        return jpeg
    tags["0th"][piexif.ImageIFD.Orientation] = UPRIGHT
    whole = BytesIO()
    piexif.insert(piexif.dump(tags), jpeg, whole)
    return whole.getvalue()


def camera_says(jpeg: bytes) -> CameraSays:
    """Read a photo's EXIF."""
    tags = _tags(jpeg)
    if tags is None:
        return CameraSays()
    focal_length_mm = _number(tags["Exif"].get(piexif.ExifIFD.FocalLength))
    on_film_mm = _number(tags["Exif"].get(piexif.ExifIFD.FocalLengthIn35mmFilm))
    return CameraSays(
        make=_text(tags["0th"].get(piexif.ImageIFD.Make)),
        model=_text(tags["0th"].get(piexif.ImageIFD.Model)),
        focal_length_mm=focal_length_mm,
        sensor_width_mm=FILM_WIDTH_MM * focal_length_mm / on_film_mm if focal_length_mm and on_film_mm else None,
    )


def _tags(jpeg: bytes) -> dict[str, Any] | None:
    try:
        return dict(piexif.load(jpeg))
    except (ValueError, piexif.InvalidImageDataError):
        return None


def _text(value: bytes | None) -> str | None:
    return (value or b"").split(b"\0")[0].decode(errors="replace").strip() or None


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = float(Fraction(*value)) if value[1] else 0.0
    return float(value) if value else None
