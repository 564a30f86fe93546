"""What the simulated libcamera is plugged into: the world in front of the lens, and who computes its pictures."""

from collections.abc import Callable
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

    def __init__(
        self,
        world: World,
        pictures: PictureSource,
        heap: BenchDmaHeap,
        prepare: Callable[[int, int], None] | None = None,
    ) -> None:
        """Point a camera at the world. `prepare` is told early which width and height will be asked for."""
        self.world = world
        self.heap = heap
        self._pictures = pictures
        self._prepare = prepare

    def configure(self, width_px: int, height_px: int) -> None:
        """Announce the size of the pictures to come."""
        if self._prepare is not None:
            self._prepare(width_px, height_px)

    def develop(self, exposure: Exposure) -> NDArray[np.uint8]:
        """Return the picture, (height, width, 3) RGB. The world stands still while it is being computed."""
        pixels = np.empty((exposure.height_px, exposure.width_px, 3), np.uint8)
        with self.world.clock.paused():
            self._pictures(exposure, pixels)
        self.world.pictures += 1
        return pixels
