"""Scan 36 photos of 1600x1200 on the bench and print the memory after a third of them, at the end and at its peak.

`python scan_and_weigh.py STORE` prints one JSON object; megabytes are 10⁶ bytes.
"""

import asyncio
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from drivers.bench.install import install_bench
from drivers.bench.scene import Exposure
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.events import FrameStored, ScanEnded
from scannerd.hardware import build_hardware
from scannerd.settings.file import parse_config

CONFIG = '[store]\nfolder = "{folder}"\nreserve_mb = 0\n[camera]\nmetering = "configured"\n[mat]\nused = false\n'


def a_picture() -> NDArray[np.uint8]:
    coarse = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (1600, 1200), interpolation=cv2.INTER_CUBIC), np.uint8)


async def weigh(folder: Path) -> dict[str, float]:
    picture, mine = a_picture(), psutil.Process()
    masses: dict[str, float] = {}

    def see(exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        out[:] = cv2.resize(picture, out.shape[1::-1], interpolation=cv2.INTER_NEAREST)

    with install_bench(see, speed=40.0) as bench:
        config = parse_config(CONFIG.format(folder=folder))
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            async for event in events:
                if isinstance(event, FrameStored) and event.frames_done == 12:
                    masses["after_12_mb"] = mine.memory_info().rss / 1e6
                if isinstance(event, FrameStored) and event.frames_done == 36:
                    masses["after_36_mb"] = mine.memory_info().rss / 1e6
                if isinstance(event, ScanEnded):
                    break
    masses["peak_mb"] = peak_mb()
    return masses


def peak_mb() -> float:
    """Return the largest resident memory of this program; getrusage's would begin with the parent's at the fork."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(asyncio.run(weigh(Path(sys.argv[1])))))
