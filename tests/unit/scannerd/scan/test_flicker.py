"""Whole periods of the light, by numbers; and a whole scan under lamps that flicker, judged by its photos' rows."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, running, until

from drivers.bench.flicker import LightFlicker
from drivers.bench.install import install_bench
from drivers.bench.pins import BenchWiring
from drivers.bench.scene import Exposure
from drivers.protocols import CameraSettings
from scannerd.commands import StartScan
from scannerd.config import Config, LightSection
from scannerd.events import ScanEnded
from scannerd.scan.flicker import Flicker
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

BRIGHT = 1.5
"""Of the light for which 20 000 µs are right: what is metered is no multiple of 10 ms."""


def settings(exposure_us: float, gain: float = 1.0) -> CameraSettings:
    return CameraSettings(exposure_us, gain, (2.0, 2.0), None)


@pytest.mark.parametrize(
    ("light", "metered_us", "steady_us"),
    [
        (LightSection(mains_hz=50), 17_000, 10_000),
        (LightSection(mains_hz=50), 9_900, 10_000),
        (LightSection(mains_hz=50), 60_000, 60_000),
        (LightSection(mains_hz=60), 60_000, 58_333.33),
        (LightSection(mains_hz=60), 17_000, 16_666.67),
        (LightSection(mains_hz=50), 4_000, 4_000),
        (LightSection(mains_hz=0), 17_000, 17_000),
    ],
)
def test_a_metered_exposure_becomes_whole_half_periods_of_the_mains(
    light: LightSection, metered_us: float, steady_us: float
) -> None:
    steady = Flicker.of(light, None).steady(settings(metered_us, 2.0))
    assert steady.exposure_us == pytest.approx(steady_us, abs=1)
    assert steady.exposure_us * steady.analogue_gain == pytest.approx(2 * metered_us), "the same light"


@pytest.mark.parametrize(
    ("mains_hz", "frequency_hz", "level", "metered_us", "steady_us"),
    [
        (0, 500, 0.5, 17_000, 16_000),
        (50, 500, 0.5, 17_000, 10_000),
        (60, 500, 0.5, 60_000, 50_000),
        (60, 500, 0.5, 20_000, 16_666.67),  # no whole pulses within reach: the mains count
        (0, 500, 1.0, 17_000, 17_000),  # a light that shines all the time does not pulse
        (50, 500, 0.5, 5_000, 4_000),
        (50, 500, 0.5, 1_000, 1_000),
    ],
)
def test_a_dimmed_light_wants_whole_pulses(
    mains_hz: int, frequency_hz: int, level: float, metered_us: float, steady_us: float
) -> None:
    light = LightSection.model_validate(
        {"driver": "gpio", "frequency_hz": frequency_hz, "mains_hz": mains_hz, "level": level}
    )
    assert Flicker.of(light, level).steady(settings(metered_us)).exposure_us == pytest.approx(steady_us, abs=1)


def test_less_than_the_lowest_gain_is_never_asked_for() -> None:
    assert Flicker(mains_us=10_000).steady(settings(9_900)).analogue_gain == 1


class Room(OverheadCamera):
    """The mat from above, exposed as the light is, row by row."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        rows = exposure.light_of_rows(0, exposure.height_px)
        light = BRIGHT * exposure.brightness * exposure.exposure_us * exposure.analogue_gain / 20_000
        levels = out * (light * (1.0 if rows is None else rows)) ** (1 / 2.2)
        out[:] = np.clip(levels, 0, 255).astype(np.uint8)


def banding(photo: Path) -> float:
    """Return how much rows differ where the table is plain, over their mean."""
    grey = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    rows = np.asarray(grey, np.float64)[:, :12].mean(axis=1)
    return float((rows.max() - rows.min()) / rows.mean())


def config_of(folder: Path, light: dict[str, object]) -> Config:
    config = bench_config(folder, views=3, more="ask_a_person = false")
    camera = config.camera.model_copy(update={"metering": "once"})
    return config.model_copy(update={"camera": camera, "light": LightSection.model_validate(light)})


async def worst_banding(folder: Path, flicker: LightFlicker, light: dict[str, object], fitted: bool = False) -> float:
    store = ScanStore(StoreLayout(folder))
    wiring = BenchWiring(light_pin=18 if fitted else None)
    with install_bench(Room(), speed=20.0, wiring=wiring) as bench:
        bench.world.flicker = flicker
        async with running(config_of(folder, light), bench, store) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, ScanEnded)
    with store.open("cup") as scan:
        assert len(scan.frames) == 3
        return max(banding(scan.folder.path / frame.file.name) for frame in scan.frames.values())


@pytest.mark.parametrize(
    ("flicker", "light", "banded", "fitted"),
    [
        (LightFlicker(mains_hz=50), {"mains_hz": 50}, {"mains_hz": 0}, False),
        (LightFlicker(mains_hz=60), {"mains_hz": 60}, {"mains_hz": 50}, False),
        (
            LightFlicker(pulses_hz=60),
            {"mains_hz": 0, "driver": "gpio", "frequency_hz": 60, "level": 0.6},
            {"mains_hz": 50, "driver": "gpio", "frequency_hz": 500, "level": 0.6},
            True,
        ),
    ],
    ids=["50 Hz", "60 Hz", "a slowly dimmed light"],
)
async def test_lamps_leave_bands_unless_exposures_are_whole_periods(
    tmp_path: Path, flicker: LightFlicker, light: dict[str, object], banded: dict[str, object], fitted: bool
) -> None:
    chosen = await worst_banding(tmp_path / "chosen", flicker, light, fitted)
    other = await worst_banding(tmp_path / "other", flicker, banded, fitted)
    assert chosen < 0.02
    assert other > 2 * chosen
    assert other > 0.03
