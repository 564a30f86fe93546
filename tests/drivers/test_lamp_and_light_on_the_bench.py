"""Judged at the far end of the wires: what shines, and what a photo makes of it."""

from collections.abc import Iterator

import pytest
from gpiozero import DigitalOutputDevice

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lamps import AMBIENT_SHARE
from drivers.bench.pins import BenchWiring
from drivers.lamp_gpio import GpioLamp
from drivers.light_gpio import GpioLight
from drivers.options import LampGpioOptions, LightGpioOptions, Picamera2Options
from drivers.protocols import DriverError
from drivers.registry import camera_driver


@pytest.fixture
def lit_bench(card: GreyCard) -> Iterator[Bench]:
    """A bench whose object is lit by a dimmable light."""
    with install_bench(card, speed=20, wiring=BenchWiring(light_pin=18)) as installed:
        yield installed


def test_the_lamp_shines_as_told_and_is_dark_before_and_after(bench: Bench) -> None:
    lamp = GpioLamp(LampGpioOptions())
    assert not bench.world.lamp.lit
    lamp.set_on(True)
    assert bench.world.lamp.lit
    lamp.set_on(True)
    lamp.set_on(False)
    lamp.set_on(True)
    lamp.close()
    lamp.close()
    assert not bench.world.lamp.lit
    flashes = bench.world.lamp.flashes()
    assert [flash.lit for flash in flashes] == [True, False, True, False]
    assert [flash.at_s for flash in flashes] == sorted(flash.at_s for flash in flashes)


def test_the_lamp_forgets_old_flashes(bench: Bench) -> None:
    lamp = GpioLamp(LampGpioOptions())
    for _ in range(3000):
        lamp.set_on(True)
        lamp.set_on(False)
    assert len(bench.world.lamp.flashes()) <= 1024
    lamp.close()


def test_the_light_shines_with_its_level_from_the_start(lit_bench: Bench) -> None:
    assert lit_bench.world.light.level == 0
    light = GpioLight(LightGpioOptions(level=0.5))
    assert lit_bench.world.light.level == 0.5
    light.set_level(1)
    assert lit_bench.world.light.level == 1
    light.set_level(0.25)
    assert lit_bench.world.light.level == 0.25
    for level in (-0.1, 1.01, float("nan")):
        with pytest.raises(DriverError, match=r"use 0 \(off\) to 1"):
            light.set_level(level)
    assert lit_bench.world.light.level == 0.25
    light.close()
    light.close()
    assert lit_bench.world.light.level == 0


async def test_a_photo_is_as_bright_as_the_room_and_the_light_together(lit_bench: Bench) -> None:
    light = GpioLight(LightGpioOptions(level=1.0))
    camera = camera_driver("picamera2")(Picamera2Options(width_px=160, height_px=120, focal_length_mm=9.0))
    await camera.open()
    grey = []
    for level in (1.0, 0.5, 0.0):
        light.set_level(level)
        frame = await camera.capture()
        grey.append(float(frame.photo.y.mean()))
    await camera.close()
    light.close()
    expected = [AMBIENT_SHARE + (1 - AMBIENT_SHARE) * level for level in (1.0, 0.5, 0.0)]
    assert grey == pytest.approx([share * 100 for share in expected], abs=1.5)


def test_a_bench_without_a_light_has_its_soft_boxes_on(bench: Bench) -> None:
    light = GpioLight(LightGpioOptions(level=0.0))
    assert bench.world.light.brightness == 1
    light.close()


@pytest.mark.parametrize(("build", "says"), [("lamp", "lamp: .*GPIO24"), ("light", "light: .*GPIO24")])
def test_a_pin_in_use_is_named(bench: Bench, build: str, says: str) -> None:
    taken = DigitalOutputDevice(24)
    with pytest.raises(DriverError, match=says):
        GpioLamp(LampGpioOptions()) if build == "lamp" else GpioLight(LightGpioOptions(pin=24))
    taken.close()
