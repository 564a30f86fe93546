"""A mask at the photo's full size, as other programs want it."""

from pathlib import Path

import cv2

from scannerd.export.exported_file import ExportFault

HALF = 127
QUICK = 1
"""Compression: two levels compress well anyway."""


def full_size_mask(path: Path, width_px: int, height_px: int) -> bytes:
    """Return a PNG, 8 bit, 255 on the object, its edge drawn between the small mask's pixels. Raises ExportFault."""
    small = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if small is None:
        raise ExportFault(f"{path}: not there, or no picture; take the photo again, or export without it")
    large = cv2.resize(small, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    _, mask = cv2.threshold(large, HALF, 255, cv2.THRESH_BINARY)
    done, data = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, QUICK])
    if not done:
        raise ExportFault(f"{path}: could not be encoded at {width_px}x{height_px}")
    return data.tobytes()
