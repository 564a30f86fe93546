"""Photos on disk: read one at a time, refused with a reason when they are not what they should be."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import BadInput
from offload.wire.bundle import StoredFile

Photo = NDArray[np.uint8]

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG", b"IEND\xaeB\x60\x82"
MASK_WIDTH_PX = 800
"""Silhouettes are found in photos of about this width, then enlarged."""
END_WITHIN_BYTES = 65_536
"""Some cameras write padding or a preview's data after the end of the picture."""


class PhotoDamaged(BadInput):
    """The file is what was given or sealed, but no whole picture."""


@dataclass(frozen=True)
class PhotoFile:
    """One photo, and what is known of it beforehand."""

    name: str
    path: Path
    stored: StoredFile | None = None

    def read(self) -> Photo:
        """Return (H, W, 3), BGR, as stored (EXIF orientation is not applied). Raises BadInput."""
        data = self._bytes()
        self._require_whole(data)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if picture is None:
            raise PhotoDamaged(
                f"{self.name}: {len(data)} bytes that no reader takes for a picture; JPEG or PNG is expected. "
                "Take the photo again or copy it anew"
            )
        return np.asarray(picture, np.uint8)

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            raise BadInput(
                f"{self.name}: the photo is named but there is no such file; copy it beside the others"
            ) from None
        except OSError as error:
            raise BadInput(
                f"{self.name}: cannot be read ({error.strerror}); check the file and its rights"
            ) from error

    def _require_whole(self, data: bytes) -> None:
        if self.stored is not None and len(data) != self.stored.size_bytes:
            raise BadInput(
                f"{self.name}: {len(data)} bytes, but {self.stored.size_bytes} were sealed; upload the photo again"
            )
        if self.stored is not None and hashlib.sha256(data).hexdigest() != self.stored.sha256:
            raise BadInput(f"{self.name}: its SHA-256 is not the sealed one; upload the photo again")
        for start, end in ((JPEG_START, JPEG_END), (PNG_START, PNG_END)):
            if data.startswith(start) and end not in data[-END_WITHIN_BYTES:]:
                raise PhotoDamaged(
                    f"{self.name}: truncated, {len(data)} bytes without the picture's end mark; "
                    "copy it anew or take it again"
                )


def reduced(photo: Photo) -> Photo:
    """Return the photo at the size silhouettes are found in."""
    factor = min(1.0, MASK_WIDTH_PX / photo.shape[1])
    if factor == 1.0:
        return photo
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def require_one_size(names: list[str], sizes_px: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the size (width, height) that all photos share. Raises BadInput naming the first that differs."""
    common = max(set(sizes_px), key=sizes_px.count)
    for name, size in zip(names, sizes_px, strict=True):
        if size != common:
            raise BadInput(
                f"{name}: {size[0]}x{size[1]} pixels, the other photos have {common[0]}x{common[1]}; "
                "one size and one camera setting are needed for all of them"
            )
    return common
