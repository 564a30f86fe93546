"""Whether the whole object is in the picture, and large enough."""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane


@dataclass(frozen=True)
class Framing:
    """Where the object's outline runs."""

    cut_off: float
    """Share of the outline, 0 to 1, that lies on the picture's border."""
    size: float
    """Height or width of the object, whichever is larger, as a share of the picture's."""


def framing_of(mask: Plane) -> Framing | None:
    """Judge a mask (h, w), 255 on the object: its largest part. None where there is nothing."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=len)[:, 0]
    height, width = mask.shape
    x, y = outline.T
    on_border = (x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)
    size = max((np.ptp(x) + 1) / width, (np.ptp(y) + 1) / height)
    return Framing(float(np.mean(on_border)), float(size))
