"""A scan's light is measured once, on what lies there; every photo has that exposure, also after a restart."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, running, until

from drivers.bench.install import install_bench
from drivers.bench.scene import Exposure
from scannerd.commands import ResumeScan, StartScan, Stop
from scannerd.config import Config
from scannerd.events import FrameStored, ScanEnded
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

DIM = 0.5
"""Of the light for which 20 000 µs at gain 1 are right."""
GAMMA = 2.2
"""From light to levels."""
TOO_SHORT_US = 9_000
"""In this light."""


class DimRoom(OverheadCamera):
    """The mat from above, in light that a longer exposure makes good for."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        light = DIM * exposure.exposure_us * exposure.analogue_gain / 20_000
        out[:] = np.clip(out * light ** (1 / GAMMA), 0, 255).astype(np.uint8)


def dim_config(folder: Path, metering: str, views: int = 3) -> Config:
    config = bench_config(folder, views=views, more="ask_a_person = false")
    camera = config.camera.model_copy(update={"metering": metering})
    return config.model_copy(update={"camera": camera})


def exposures(store: ScanStore) -> list[float]:
    with store.open("cup") as scan:
        return [entry.exposure_us * entry.analogue_gain for entry in scan.frames.values()]


def locked_lines(folder: Path) -> list[dict[str, object]]:
    journal = StoreLayout(folder).scan("cup").journal.read_text().splitlines()
    return [line for line in map(json.loads, journal) if line["type"] == "locked"]


async def scan(config: Config, store: ScanStore) -> None:
    with install_bench(DimRoom(), speed=20.0) as bench:
        async with running(config, bench, store) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, ScanEnded)


async def test_a_dim_room_is_metered_once_and_every_photo_has_that_exposure(tmp_path: Path) -> None:
    store = ScanStore(StoreLayout(tmp_path))
    await scan(dim_config(tmp_path, "once"), store)

    (line,) = locked_lines(tmp_path)
    assert set(line["settings"]) == {"exposure_us", "analogue_gain", "colour_gains", "focus_dioptres"}  # type: ignore[arg-type,call-overload]
    assert len(set(exposures(store))) == 1
    assert exposures(store)[0] > 2 * 20_000, "half of the light"


async def test_as_configured_means_as_configured(tmp_path: Path) -> None:
    store = ScanStore(StoreLayout(tmp_path))
    await scan(dim_config(tmp_path, "configured"), store)
    assert exposures(store) == pytest.approx([20_000.0] * 3, rel=0.01)


async def test_a_scan_that_goes_on_has_the_exposure_of_its_first_photos(tmp_path: Path) -> None:
    store, config = ScanStore(StoreLayout(tmp_path)), dim_config(tmp_path, "once", views=5)
    with install_bench(DimRoom(), speed=20.0) as bench:
        async with running(config, bench, store) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 2)
            await daemon.submit(Stop())
    with install_bench(OverheadCamera(), speed=20.0) as brighter:  # the sun came out
        async with running(config, brighter, store) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(ResumeScan("cup"))
            await until(events, ScanEnded)

    assert len(locked_lines(tmp_path)) == 1
    assert len(exposures(store)) == 5
    assert exposures(store) == pytest.approx([exposures(store)[0]] * 5, rel=0.01)


async def test_a_first_photo_that_is_too_dark_makes_the_whole_scan_brighter(tmp_path: Path) -> None:
    """Set by hand, and set wrong: as long as there is no photo the exposure may be changed."""
    store, config = ScanStore(StoreLayout(tmp_path)), dim_config(tmp_path, "configured", views=4)
    camera = config.camera.model_copy(update={"exposure_us": TOO_SHORT_US})
    await scan(config.model_copy(update={"camera": camera}), store)

    assert exposures(store) == pytest.approx([exposures(store)[0]] * 4, rel=0.01)
    assert 1.5 * TOO_SHORT_US < exposures(store)[0] < 3.5 * TOO_SHORT_US
    assert len(locked_lines(tmp_path)) >= 2
