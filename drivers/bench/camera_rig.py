"""What the simulated libcamera is plugged into: the world in front of the lens, and who computes its pictures."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.bench.dma_heap import BenchDmaHeap
from drivers.bench.scene import Exposure
from drivers.bench.world import World


class PictureSource(Protocol):
    """Computes what the sensor saw."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        """Fill `out`: (height, width, 3), uint8, RGB, sRGB-encoded, C-contiguous."""


class CameraRig:
    """One camera on its tripod."""

    def __init__(self, world: World, pictures: PictureSource, heap: BenchDmaHeap) -> None:
        """Point a camera at the world."""
        self.world = world
        self.heap = heap
        self._pictures = pictures

    def develop(self, exposure: Exposure) -> NDArray[np.uint8]:
        """Return the picture, (height, width, 3) RGB. The world stands still while it is being computed."""
        pixels = np.empty((exposure.height_px, exposure.width_px, 3), np.uint8)
        with self.world.clock.paused():
            self._pictures(exposure, pixels)
        self.world.pictures += 1
        return pixels
