"""A colour chart before the lens."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.scene import Exposure

COLOURS_RGB = np.array(
    [
        [(115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170)],
        [(214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46)],
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255)],
        [(255, 255, 255), (235, 235, 235), (200, 200, 200), (128, 128, 128), (16, 16, 16), (0, 0, 0)],
    ],
    np.uint8,
)
"""Natural colours, the corners of the cube, and greys whose ends show a range that is not full."""


def colour_chart(_: Exposure, out: NDArray[np.uint8], /) -> None:
    out[:] = cv2.resize(COLOURS_RGB, out.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def patches(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the colours (4, 6, 3) in the middles of the fields."""
    height, width = pixels.shape[0] / 4, pixels.shape[1] / 6
    means = [
        [
            pixels[
                round((row + 0.35) * height) : round((row + 0.65) * height),
                round((column + 0.35) * width) : round((column + 0.65) * width),
            ].mean((0, 1))
            for column in range(6)
        ]
        for row in range(4)
    ]
    return np.array(means)
