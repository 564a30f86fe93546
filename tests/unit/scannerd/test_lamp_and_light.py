"""Lamp and light of a whole daemon, judged at the far end of their wires and in what the camera sees."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config
from scan_on_bench import until as heard

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from drivers.bench.scene import Exposure
from scannerd.app import Daemon
from scannerd.commands import CommandRefused, ResumeScan, SetLight, StartScan, Stop
from scannerd.config import Config, LightSection
from scannerd.events import FrameStored, ScanEnded
from scannerd.hardware import build_hardware
from scannerd.settings.file import parse_config

SETTINGS = """
[store]
folder = "{folder}"
reserve_mb = 0
[camera]
metering = "configured"
width_px = 320
height_px = 240
[light]
driver = "gpio"
level = 0.5
lit = "always"
"""


@pytest.fixture
def lit_bench() -> Iterator[Bench]:
    with install_bench(GreyCard(), speed=20, wiring=BenchWiring(light_pin=18)) as bench:
        yield bench


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse_config(SETTINGS.format(folder=tmp_path))


async def until(holds: Callable[[], bool]) -> None:
    """What happens on the bench's wires tells nobody; it has to be looked at."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def grey_level(daemon: Daemon, newer_than: int | None = None) -> tuple[float, int]:
    picture = await daemon.viewfinder.picture(newer_than=newer_than)
    pixels = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return float(np.asarray(pixels).mean()), picture.seq


async def test_the_light_is_as_configured_then_as_told_and_off_at_the_end(lit_bench: Bench, config: Config) -> None:
    light = lit_bench.world.light
    async with Daemon(config, build_hardware(config, lit_bench.clock)) as daemon:
        assert light.level == 0.5
        assert daemon.board.state().light_level == 0.5
        half, seq = await grey_level(daemon)
        await daemon.submit(SetLight(1.0))
        assert light.level == 1.0
        assert daemon.board.state().light_level == 1.0
        full, _ = await grey_level(daemon, newer_than=seq)
        assert full / half == pytest.approx(1 / 0.575, rel=0.05), (
            "15% of the room and 85% of the light, or half of it"
        )
        for level in (-0.1, 1.1):
            with pytest.raises(CommandRefused, match="use 0"):
                await daemon.submit(SetLight(level))
        assert light.level == 1.0
        await daemon.submit(SetLight())
        assert light.level == 1.0, "as it shines"
        await daemon.submit(SetLight(0.0))
        await daemon.submit(SetLight())
        assert light.level == 0.5, "as configured after it was off"
    assert light.level == 0


async def test_other_settings_give_another_light_and_another_lamp(lit_bench: Bench, config: Config) -> None:
    lamp, light = lit_bench.world.lamp, lit_bench.world.light
    async with Daemon(config, build_hardware(config, lit_bench.clock)) as daemon:
        await until(lambda: lamp.lit)
        dark = config.model_copy(
            update={
                "led": config.led.model_copy(update={"driver": "none"}),
                "light": config.light.model_copy(update={"level": 0.25}),
            }
        )
        await daemon.reload(dark)
        assert not lamp.lit
        assert light.level == 0.25
        assert daemon.board.state().light_level == 0.25
        await daemon.reload(config)
        await until(lambda: lamp.lit)
        assert light.level == 0.5
        none = config.model_copy(update={"light": config.light.model_copy(update={"driver": "none"})})
        await daemon.reload(none)
        assert daemon.board.state().light_level is None, "there is no light any more"
    assert not lamp.lit


async def test_a_button_follows_its_new_times(lit_bench: Bench, config: Config) -> None:
    codes: list[str] = []

    def new_code() -> str:
        codes.append("123456")
        return codes[-1]

    async with Daemon(config, build_hardware(config, lit_bench.clock)) as daemon:
        daemon.new_pairing_code = new_code
        quick = config.model_copy(update={"button": config.button.model_copy(update={"hold_s": 0.3})})
        await daemon.reload(quick)
        await asyncio.to_thread(lit_bench.finger.press, 0.8)
        await until(lambda: bool(codes))
    assert len(codes) == 1


async def test_a_scan_has_one_light_also_when_it_goes_on(tmp_path: Path) -> None:
    pictures = OverheadCamera()
    config = bench_config(tmp_path, views=4)
    config = config.model_copy(update={"light": LightSection(driver="gpio", level=0.5)})
    levels: list[float] = []

    def look(exposure: Exposure, out: NDArray[np.uint8]) -> None:
        levels.append(bench.world.light.level)
        pictures(exposure, out)

    with install_bench(look, speed=20, wiring=BenchWiring(light_pin=18)) as bench:
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup", light_level=0.8))
            await heard(events, FrameStored, 2)
            await daemon.submit(Stop())
            assert daemon.board.state().light_level == 0.8
            await daemon.submit(SetLight(0.2))
            levels.clear()
            await daemon.submit(ResumeScan("cup"))
            await heard(events, ScanEnded, 2)
            with daemon.store.open("cup") as scan:
                assert scan.plan.light_level == 0.8
        assert set(levels) == {0.8}
        dark = config.model_copy(update={"light": LightSection()})
        async with Daemon(dark, build_hardware(dark, bench.clock)) as daemon:
            with pytest.raises(CommandRefused, match="no light"):
                await daemon.submit(StartScan(light_level=0.5))
