"""A picture as cameras deliver it: brightness at full resolution, colour at half.

Half the memory of RGB, nothing to convert before a JPEG is made of it, and brightness, which is what sharpness is
judged by, lies there by itself.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


LARGEST_HALVED_PX = 2028
"""Photos up to this width have companions of half their width, wider ones of a quarter."""


def companion_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return width and height, both even, of a photo's companion."""
    share = 4 if width_px > LARGEST_HALVED_PX else 2
    return max(2, width_px // share // 2 * 2), max(2, height_px // share // 2 * 2)


@dataclass(frozen=True)
class Planes:
    """One picture in Y'CbCr 4:2:0, full range, BT.601: JPEG's own colours. Width and height are even."""

    y: Plane
    """(height, width), brightness."""
    u: Plane
    """(height / 2, width / 2), blue less brightness; 128 is grey."""
    v: Plane
    """(height / 2, width / 2), red less brightness; 128 is grey."""

    def __post_init__(self) -> None:
        height, width = self.y.shape
        if height % 2 or width % 2 or not self.u.shape == self.v.shape == (height // 2, width // 2):
            raise ValueError(
                f"planes of shape {self.y.shape}, {self.u.shape}, {self.v.shape}: width and height must be even, "
                "and colour half of brightness"
            )

    @property
    def width_px(self) -> int:
        """Of the whole picture."""
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        """Of the whole picture."""
        return int(self.y.shape[0])

    def rgb(self) -> Plane:
        """Return (height, width, 3) RGB: three bytes a pixel, so for small pictures rather than for photos."""
        size = (self.width_px, self.height_px)
        blue = cv2.resize(self.u, size, interpolation=cv2.INTER_LINEAR)
        red = cv2.resize(self.v, size, interpolation=cv2.INTER_LINEAR)
        # OpenCV's order is Y, Cr, Cb.
        return np.asarray(cv2.cvtColor(cv2.merge([self.y, red, blue]), cv2.COLOR_YCrCb2RGB), np.uint8)

    def shrunk(self, width_px: int, height_px: int) -> Self:
        """Return a smaller copy, every pixel the mean of those that it covers; width and height are even."""
        half = (width_px // 2, height_px // 2)
        small = [cv2.resize(self.y, (width_px, height_px), interpolation=cv2.INTER_AREA)]
        small += [cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (self.u, self.v)]
        return type(self)(*(np.asarray(plane, np.uint8) for plane in small))

    def shrunk_to_width(self, width_px: int) -> Self:
        """The same in its own proportions, as near as even numbers come; a picture that is small enough stays."""
        if self.width_px <= width_px:
            return self
        return self.shrunk(width_px, max(2, 2 * round(self.height_px * width_px / self.width_px / 2)))

    @classmethod
    def from_rgb(cls, pixels: Plane) -> Self:
        """Return the planes of (height, width, 3) RGB; width and height are even."""
        bright, red, blue = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        small = [cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (blue, red)]
        return cls(*(np.asarray(plane, np.uint8) for plane in (bright, *small)))
