"""Two cameras over one table: the second stands 40° further round, and has smaller photos.

Run as a program it scans until it is killed, one line for each photo stored: `python two_cameras.py STORE SCAN_ID`.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_text
from sealed_scan import manifest_of

from drivers.bench.install import Bench, OtherBenchCamera, install_bench
from drivers.bench.scene import Exposure
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.config import Config
from scannerd.events import FrameStored
from scannerd.hardware import build_hardware
from scannerd.scan.relocate import mat_corners, turned_deg
from scannerd.settings.file import parse_config
from scannerd.store.layout import StoreLayout
from scannerd.store.photo import read_grey

SIDE_DEG, FURTHER_DEG = 60.0, 40.0
SIDE = """
[[cameras]]
name = "side"
metering = "{metering}"
width_px = 480
height_px = 360
elevation_deg = 60.0
exposure_us = {exposure_us}
{more}
"""


def two_camera_config(
    folder: Path, views: int = 4, more: str = "", *, exposure_us: int = 15_000, metering: str = "configured"
) -> Config:
    """Return settings for both; `more` are keys of the second one."""
    side = SIDE.format(more=more, exposure_us=exposure_us, metering=metering)
    # The mat is taken for the object, and its corners may leave the photo.
    quality = {"max_cut_off_fraction": 1.0, "max_clipped_fraction": 1.0}
    return parse_config(bench_text(folder, views, quality=quality) + side)


class TwoSides(OverheadCamera):
    """The second camera looks from further round, so that its photos are nobody else's."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        if exposure.elevation_deg == SIDE_DEG:
            angles_deg = tuple(angle_deg + FURTHER_DEG for angle_deg in exposure.platter_angles_deg)
            exposure = replace(exposure, platter_angles_deg=angles_deg)
        super().__call__(exposure, out)


@contextmanager
def two_camera_bench(speed: float = 40.0, *, on_usb: bool = False, pictures: Any = None) -> Iterator[Bench]:
    side = OtherBenchCamera(SIDE_DEG, on_usb=on_usb)
    with install_bench(pictures or TwoSides(), speed, others=[side]) as bench:
        yield bench


def assert_both_cameras_are_true(config: Config, views: int, scan_id: str = "cup") -> None:
    """Hold that every stop has a photo of each camera, which shows the platter where it is said to be."""
    manifest, mat = manifest_of(config, scan_id), config.mat.spec()
    assert mat is not None
    assert manifest.format == 2
    assert [(frame.index, frame.camera) for frame in manifest.frames] == [
        (2 * stop + camera, camera) for stop in range(views) for camera in (0, 1)
    ]
    folder = StoreLayout(config.store.folder).scan(scan_id).path
    first = mat_corners(read_grey(folder / manifest.frames[0].file.name), mat)
    for frame in manifest.frames:
        photo = read_grey(folder / frame.file.name)
        assert photo.shape[::-1] == manifest.all_cameras()[frame.camera].size_px
        points, in_mat = mat_corners(photo, mat)
        points = points * (640 / photo.shape[1])
        angle_deg = frame.angle_deg if frame.seen_angle_deg is None else frame.seen_angle_deg
        told_deg = angle_deg - manifest.frames[0].angle_deg + FURTHER_DEG * frame.camera
        seen_deg = turned_deg(first, (points, in_mat))
        assert (seen_deg - told_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.3), f"photo {frame.index}"


async def scan_until_killed(folder: Path, scan_id: str) -> None:
    with two_camera_bench(10.0) as bench:
        config = two_camera_config(folder, views=8)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan(scan_id))
            async for event in events:
                if isinstance(event, FrameStored):
                    print(event.index, flush=True)


if __name__ == "__main__":
    asyncio.run(scan_until_killed(Path(sys.argv[1]), sys.argv[2]))
