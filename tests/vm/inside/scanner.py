"""Inside: the daemon as `scannerd run` is it, but for its camera, which sees the platter as the world turns it."""

import asyncio
import importlib
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import drivers.bench

# At the end: beside a camera the bench's site has stand-ins for libraries that are real here.
sys.path += [str(Path(__file__).resolve().parents[2] / "support"), f"{drivers.bench.__path__[0]}/site"]

import guest_world
import numpy as np
from true_angles import SigningCamera

from drivers.bench.bench_clock import BenchClock
from drivers.bench.camera_rig import CameraRig
from drivers.bench.dma_heap import BenchDmaHeap
from drivers.bench.platter import Platter
from drivers.bench.scene import Exposure
from drivers.bench.sensor_models import IMX477
from drivers.bench.world import World
from drivers.picture import Planes
from offload.logs.journal import start_logging
from scannerd import shell
from scannerd.process.serving import serve

SLOW = replace(IMX477, modes=tuple(replace(mode, frame_time_s=0.125) for mode in IMX477.modes))
"""Each frame costs an emulated processor as much as five a real one."""


class PlatterOutside(Platter):
    """Stands where the world outside says, at this moment."""

    def sample(self, from_s: float, to_s: float, count: int) -> tuple[float, ...]:
        return (guest_world.seen().angle_deg,) * count


class CameraInRealTime(SigningCamera):
    """The kernel's time goes on while a picture is computed; one that has not changed is not computed again."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[int, int], tuple[float, Planes]] = {}

    def planes(self, exposure: Exposure) -> Planes:
        size, angle_deg = (exposure.height_px, exposure.width_px), exposure.platter_angles_deg[0]
        if self._last.get(size, (None,))[0] != angle_deg:
            pixels = np.empty((*size, 3), np.uint8)
            self(exposure, pixels)
            self._last[size] = (angle_deg, Planes.from_rgb(pixels))
        return self._last[size][1]


def main() -> None:
    """Plug the camera in and be the daemon."""
    start_logging("scannerd")
    file = Path(sys.argv[1])
    clock = BenchClock()
    world = World(clock)
    world.platter = PlatterOutside()
    heap = BenchDmaHeap(importlib.import_module("picamera2.dma_heap"))
    heap.install(importlib.import_module("picamera2.allocators.dmaallocator"))
    importlib.import_module("libcamera").plug_in(CameraRig(world, CameraInRealTime(), heap, model=SLOW))
    with shell.explained():
        asyncio.run(serve(shell.load_config(file), file, clock))
    logging.shutdown()
    os._exit(0)


main()
