"""One fetched file, decoded before it is believed: its kind, its size, and what its camera wrote into it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from offload.geometry.mat_board import Grey
from offload.wire.bundle import CameraModel

MOST_PIXELS = 89_000_000
"""Of one photo; few cameras take larger ones, and a decoded one takes 270 MB."""
LEAST_EDGE_PX = 64
_SUFFIX = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png"}
GUESSED_FOCAL_SHARE = 1.2
"""Of the longer edge, where the camera says nothing: most phones and kit lenses lie near it."""
_FULL_FRAME_MM = 36.0


class NotAPhoto(RuntimeError):
    """This file is no photo that can be used; the message says what it is."""


@dataclass(frozen=True)
class LookedAt:
    """What a whole photo turned out to be."""

    suffix: str
    width_px: int
    height_px: int
    camera: CameraModel
    grey: Grey

    @property
    def focal_px(self) -> float:
        """As its camera says, or a guess."""
        return self.camera.focal_length_mm * 1000 / self.camera.pixel_pitch_um


def look_at(path: Path) -> LookedAt:
    """Decode a whole photo. Raises NotAPhoto, before decoding where its header already says that it is too large."""
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            width_px, height_px = image.size
            if width_px * height_px > MOST_PIXELS:
                raise NotAPhoto(f"has {width_px}x{height_px} pixels, at most {MOST_PIXELS} are taken")
            if min(image.size) < LEAST_EDGE_PX:
                raise NotAPhoto(f"has {width_px}x{height_px} pixels; that is no photo")
            suffix, camera = _SUFFIX[str(image.format)], _camera(image)
            grey = np.asarray(image.convert("L"), np.uint8)
    except UnidentifiedImageError as problem:
        raise NotAPhoto("is neither a JPEG nor a PNG") from problem
    except Image.DecompressionBombError as problem:
        raise NotAPhoto(f"has more than {MOST_PIXELS} pixels, which is all that is taken") from problem
    except (OSError, ValueError, SyntaxError, MemoryError) as problem:
        raise NotAPhoto(f"cannot be decoded to the end ({problem})") from problem
    return LookedAt(suffix, width_px, height_px, camera, grey)


def _camera(image: Image.Image) -> CameraModel:
    """Return the camera, so that its focal length in pixels is as EXIF says: by the film's width, or by a guess."""
    exif = image.getexif()
    more = exif.get_ifd(ExifTags.IFD.Exif)
    longer_px = max(image.size)
    film_mm = _number(more.get(ExifTags.Base.FocalLengthIn35mmFilm))
    focal_px = film_mm / _FULL_FRAME_MM * longer_px if film_mm else GUESSED_FOCAL_SHARE * longer_px
    focal_mm = _number(more.get(ExifTags.Base.FocalLength)) or film_mm or 1.0
    return CameraModel(
        make=_text(exif.get(ExifTags.Base.Make)),
        model=_text(exif.get(ExifTags.Base.Model)),
        focal_length_mm=focal_mm,
        pixel_pitch_um=focal_mm * 1000 / focal_px,
    )


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if 0.1 < number < 5000 else 0.0


def _text(value: object) -> str:
    return str(value or "unknown").strip("\0 ")[:60] or "unknown"
