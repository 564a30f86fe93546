"""A camera that looks straight down on the mat, so that a photo's own pixels say where the platter truly was.

Run as a program it scans until it is killed, one line for each photo stored: `python scan_on_bench.py STORE SCAN_ID`.
With `--until-signal` it does so through the command line's own loop, which a signal ends.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench_settings import SMALL_MAT, bench_settings
from numpy.typing import NDArray

from drivers.bench.install import Bench, install_bench
from drivers.bench.scene import Exposure
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.config import Config
from scannerd.console import exit_code_of, scan_once
from scannerd.event_bus import Subscription
from scannerd.events import Event, FrameStored
from scannerd.hardware import build_hardware
from scannerd.settings.file import parse_config
from scannerd.store.scans import ScanStore

WIDTH_PX, HEIGHT_PX = 640, 480
PIXELS_PER_MM = 3.5
SPEED = 40.0
PATIENCE_S = 90


def bench_config(folder: Path, views: int = 6, more: str = "") -> Config:
    """Return settings for this camera; `more` are lines of [quality]."""
    return parse_config(bench_text(folder, views) + f"[quality]\n{more}\n")


def bench_text(folder: Path, views: int = 6, **sections: Mapping[str, Any]) -> str:
    """Return the text of these settings, for more to follow."""
    return bench_settings(
        folder,
        scan={"views": views, "settle_s": 0.5},
        button={"hold_s": 0.5, "warn_s": 0.2},
        mat=SMALL_MAT,
        **sections,
    )


class OverheadCamera:
    """`PictureSource`: the mat from above, turned as the platter is; bright, dark or blurred on request.

    `blur_next` and `pictures` count photos, not companions.
    """

    def __init__(self) -> None:
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
        board = cv2.aruco.CharucoBoard((7, 7), 18.0, 13.5, dictionary)
        side = round(7 * 18 * PIXELS_PER_MM)
        self._mat = np.asarray(board.generateImage((side, side)), np.uint8)
        self.blur_px = 0.0
        self.brightness = 0.6
        self.blur_next = 0
        self.pictures = 0

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        side, middle = self._mat.shape[0], (WIDTH_PX / 2, HEIGHT_PX / 2)
        angle_deg = exposure.platter_angles_deg[len(exposure.platter_angles_deg) // 2]
        warp = cv2.getRotationMatrix2D((side / 2, side / 2), angle_deg, 1.0)
        warp[:, 2] += np.array(middle) - side / 2
        grey = cv2.warpAffine(self._mat, warp, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_AREA, borderValue=255)
        if self.blur_next > 0 or self.blur_px > 0:
            grey = cv2.GaussianBlur(grey, (0, 0), self.blur_px or 4.0)
            self.blur_next = max(0, self.blur_next - (exposure.width_px == WIDTH_PX))
        level = 20 + np.asarray(grey, np.float32) * self.brightness
        picture = np.clip(level, 0, 255).astype(np.uint8)
        out[:] = cv2.resize(picture, out.shape[1::-1], interpolation=cv2.INTER_AREA)[:, :, None]
        self.pictures += exposure.width_px == WIDTH_PX


@asynccontextmanager
async def running(config: Config, bench: Bench, store: ScanStore | None = None, **more: Any) -> AsyncIterator[Daemon]:
    async with Daemon(config, build_hardware(config, bench.clock), store, **more) as daemon:
        yield daemon


async def until(
    events: Subscription, kind: type[Event], count: int = 1, patience_s: float = PATIENCE_S
) -> list[Event]:
    """Return everything up to the count-th event of a kind; one that never comes is told with what came instead."""
    seen: list[Event] = []
    ended = "the daemon went down"
    try:
        async with asyncio.timeout(patience_s):
            async for event in events:
                seen.append(event)
                count -= isinstance(event, kind)
                if count == 0:
                    return seen
    except TimeoutError:
        ended = f"{patience_s} s went by"
    last = "\n".join(map(str, seen[-5:]))
    raise AssertionError(f"{ended} before another {kind.__name__}; {len(seen)} events came, the last:\n{last}")


async def when(holds: Callable[[], bool]) -> None:
    """Return once the world is like this: it tells nobody."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


async def scan_until_killed(folder: Path, scan_id: str) -> None:
    with install_bench(OverheadCamera(), speed=10.0) as bench:
        config = bench_config(folder, views=12)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan(scan_id))
            async for event in events:
                if isinstance(event, FrameStored):
                    print(event.index, flush=True)


class Announcing(OverheadCamera):
    """Says when a picture was taken, since the command line's own words are for people."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        if self.pictures > 2:
            print("picture", flush=True)


def scan_until_signal(folder: Path, scan_id: str) -> int:
    with install_bench(Announcing(), speed=1.0) as bench:
        ended = asyncio.run(scan_once(bench_config(folder, views=200), StartScan(scan_id)))
        if not bench.board.enabled:
            print("motor released", flush=True)
    return exit_code_of(ended)


if __name__ == "__main__":
    if "--until-signal" in sys.argv:
        sys.exit(scan_until_signal(Path(sys.argv[1]), sys.argv[2]))
    asyncio.run(scan_until_killed(Path(sys.argv[1]), sys.argv[2]))
