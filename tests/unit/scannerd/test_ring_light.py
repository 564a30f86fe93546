"""A ring light of a whole daemon: lit for scans and lookers only, in the scan's colour, signals in between."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, until, when

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring, RingWiring
from drivers.bench.scene import Exposure
from drivers.light_ws2812 import Ws2812Light
from drivers.options_light import Ws2812Options
from scannerd.app import Daemon
from scannerd.board.state import Mood
from scannerd.commands import CommandRefused, Pause, Resume, ResumeScan, SetLight, StartScan, Stop
from scannerd.config import Config
from scannerd.config_light import LightSection, shares_of
from scannerd.control.lighting import LOOKED_AT_S, SIGNALS, Lighting
from scannerd.events import FrameStored, ScanEnded, ScanPaused
from scannerd.hardware import build_hardware

AMBER, WARM = "#ff8000", "#ffcc88"
DARK = (0.0, 0.0, 0.0)
BYTE = 1 / 255


class LitCamera(OverheadCamera):
    """Notes in which light each picture was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.bench: Bench | None = None
        self.seen: list[tuple[float, float, float]] = []

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        assert self.bench is not None
        self.seen.append(self.bench.world.light.levels)


@pytest.fixture
def camera() -> LitCamera:
    return LitCamera()


@pytest.fixture
def bench(camera: LitCamera) -> Iterator[Bench]:
    with install_bench(camera, speed=20, wiring=BenchWiring(ring=RingWiring(count=8))) as installed:
        camera.bench = installed
        yield installed


@pytest.fixture
def config(tmp_path: Path) -> Config:
    light = LightSection(driver="ws2812", count=8, level=0.5, colour=WARM)
    return bench_config(tmp_path, views=4).model_copy(update={"light": light})


def levels(colour: str, level: float) -> object:
    return pytest.approx([share * level for share in shares_of(colour)], abs=BYTE)


async def test_it_is_dark_but_for_a_scan_whose_photos_are_all_in_its_light(
    bench: Bench, camera: LitCamera, config: Config
) -> None:
    ring = bench.world.light
    async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
        assert ring.levels == DARK
        state = daemon.board.state()
        assert (state.light_level, state.light_colour) == (0.5, WARM), "as it will shine"
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", light_level=0.8, light_colour=AMBER))
        await until(events, FrameStored, 2)
        await daemon.submit(Stop())
        await when(lambda: ring.levels == DARK)
        await daemon.submit(SetLight(0.2, "#0000ff"))
        await daemon.submit(ResumeScan("cup"))
        await until(events, ScanEnded, 2)
        await when(lambda: ring.levels == DARK or daemon.board.mood is not Mood.IDLE)
        with daemon.store.open("cup") as scan:
            assert (scan.plan.light_level, scan.plan.light_colour) == (0.8, AMBER)
        assert camera.seen
        for seen in camera.seen:
            assert list(seen) == levels(AMBER, 0.8)
    assert ring.levels == DARK


async def test_who_looks_at_the_picture_sees_it_in_the_chosen_light(bench: Bench, config: Config) -> None:
    async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
        await daemon.viewfinder.picture()
        assert list(bench.world.light.levels) == levels(WARM, 0.5)
        await daemon.submit(SetLight(1.0, AMBER))
        assert list(bench.world.light.levels) == levels(AMBER, 1.0)
        await daemon.submit(SetLight(0.5))
        assert list(bench.world.light.levels) == levels(AMBER, 0.5), "the colour stays"


async def test_paused_it_says_so_in_its_colour_and_shines_again_before_the_next_photo(
    bench: Bench, camera: LitCamera, config: Config
) -> None:
    ring = bench.world.light
    blue = np.array(SIGNALS[Mood.PAUSED])
    async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        await when(lambda: ring.levels[2] > 0 and bool(np.allclose(ring.levels, 0.12 * blue, atol=BYTE)))
        await when(lambda: ring.levels == DARK)
        await daemon.submit(Resume())
        await until(events, ScanEnded)
    for seen in camera.seen:
        assert list(seen) == levels(WARM, 0.5)


async def test_a_white_light_has_no_colours(tmp_path: Path) -> None:
    config = bench_config(tmp_path).model_copy(update={"light": LightSection(driver="gpio")})
    with install_bench(OverheadCamera(), speed=20, wiring=BenchWiring(light_pin=18)) as bench:
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            assert daemon.board.state().light_colour is None
            with pytest.raises(CommandRefused, match="one colour"):
                await daemon.submit(SetLight(1.0, AMBER))
            with pytest.raises(CommandRefused, match="no light with colours"):
                await daemon.submit(StartScan(light_colour=AMBER))
            assert bench.world.light.level == 0, "nobody looks, nothing is scanned"


def test_when_nobody_looks_any_more_it_goes_dark(bench: Bench) -> None:
    now_s = [0.0]
    hardware_light = Ws2812Light(Ws2812Options(count=8))
    lighting = Lighting(lambda: now_s[0])
    lighting.use(hardware_light, LightSection(driver="ws2812", count=8))
    lighting.look_at_picture()
    assert bench.world.light.level == pytest.approx(1.0)
    now_s[0] = LOOKED_AT_S + 1
    lighting.signal(None)
    assert bench.world.light.levels == DARK
    hardware_light.close()
