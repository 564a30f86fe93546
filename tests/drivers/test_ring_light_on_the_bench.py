"""A ring of WS2812 diodes, judged by the pulses on its data line, by its diodes, and by what a photo makes of it."""

from collections.abc import Iterator

import numpy as np
import pytest

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.lamps import AMBIENT_SHARE
from drivers.bench.pins import BenchWiring, RingWiring
from drivers.light_ws2812 import Ws2812Light, encoded
from drivers.options import Picamera2Options
from drivers.options_light import Ws2812Options
from drivers.protocols import DriverError, Window
from drivers.registry import camera_driver

COUNT = 16
RED = (1.0, 0.2, 0.2)
CAMERA = Picamera2Options(width_px=160, height_px=120, focal_length_mm=9.0)
MIDDLE = Window(0.25, 0.25, 0.5, 0.5)


@pytest.fixture
def ringed(card: GreyCard) -> Iterator[Bench]:
    with install_bench(card, speed=20, wiring=BenchWiring(ring=RingWiring(count=COUNT))) as installed:
        yield installed


@pytest.fixture
def ring(ringed: Bench) -> Iterator[Ws2812Light]:
    light = Ws2812Light(Ws2812Options(count=COUNT, level=0.0))
    yield light
    light.close()


def diodes(bench: Bench) -> list[tuple[int, int, int]]:
    assert bench.ring is not None
    return bench.ring.diodes


def test_three_bits_of_the_bus_make_one_pulse() -> None:
    assert encoded(b"\x00") == bytes([0b10010010, 0b01001001, 0b00100100])
    assert encoded(b"\xff") == bytes([0b11011011, 0b01101101, 0b10110110])
    assert len(encoded(b"\x01\x02\x03")) == 9


def test_every_diode_shines_in_the_colour_that_was_asked_for(ringed: Bench, ring: Ws2812Light) -> None:
    ring.set_level(1.0, (1.0, 0.5, 0.0))
    assert diodes(ringed) == [(255, 128, 0)] * COUNT
    ring.set_level(0.5)
    assert diodes(ringed) == [(128, 128, 128)] * COUNT
    for level, colour in ((-0.1, RED), (1.01, RED), (float("nan"), RED), (1.0, (1.1, 0.0, 0.0))):
        with pytest.raises(DriverError, match=r"use 0 \(off\) to 1"):
            ring.set_level(level, colour)
    assert diodes(ringed) == [(128, 128, 128)] * COUNT
    ring.close()
    ring.close()
    assert diodes(ringed) == [(0, 0, 0)] * COUNT


def test_a_ring_that_is_longer_than_told_is_lit_in_part(card: GreyCard) -> None:
    with install_bench(card, wiring=BenchWiring(ring=RingWiring(count=COUNT))) as bench:
        light = Ws2812Light(Ws2812Options(count=4))
        assert diodes(bench) == [(255, 255, 255)] * 4 + [(0, 0, 0)] * (COUNT - 4)
        light.close()


def test_a_bus_that_is_not_there_is_told_with_what_to_do(ringed: Bench) -> None:
    with pytest.raises(DriverError, match=r"/dev/spidev1\.0: No such file .*raspi-config"):
        Ws2812Light(Ws2812Options(device="/dev/spidev1.0"))


async def test_a_grey_card_is_reddish_in_red_light_and_grey_once_it_was_metered(
    ringed: Bench, ring: Ws2812Light
) -> None:
    camera = camera_driver("picamera2")(CAMERA)
    await camera.open()
    ring.set_level(1.0)
    white = (await camera.capture()).photo.rgb().reshape(-1, 3).mean(axis=0)
    assert np.ptp(white) < 4, "a white ring keeps grey grey"
    ring.set_level(1.0, RED)
    red, green, blue = (await camera.capture()).photo.rgb().reshape(-1, 3).mean(axis=0)
    expected = AMBIENT_SHARE + (1 - AMBIENT_SHARE) * 0.2
    assert green / red == pytest.approx(expected, abs=0.04)
    assert blue / red == pytest.approx(expected, abs=0.04)
    await camera.meter(MIDDLE)
    balanced = (await camera.capture()).photo.rgb().reshape(-1, 3).mean(axis=0)
    assert np.ptp(balanced) / balanced.mean() < (red - green) / 100
    ring.set_level(0.0)
    dark = (await camera.capture()).photo.rgb().reshape(-1, 3).mean()
    assert dark < 0.5 * balanced.mean()
    await camera.close()
