"""What the sensor saw, developed by LibRaw, beside the photo of the same exposure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import rawpy
import tifffile
from colour_chart import colour_chart, patches
from numpy.typing import NDArray

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.sensor_models import IMX477, IMX708, SensorModel
from drivers.options import Picamera2Options
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import Camera, CameraUnusable, Frame
from drivers.raw_picture import RawMosaic
from drivers.registry import camera_driver
from offload.wire.bundle import CameraModel
from scannerd.store.dng import DngFacts, write_dng

WITHIN_LEVELS = 3
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@asynccontextmanager
async def raw_camera(bench: Bench, **changes: Any) -> AsyncIterator[Camera]:
    options = replace(Picamera2Options(1200, 900, focal_length_mm=9.0), **changes)
    camera: Camera = camera_driver("picamera2")(options, bench.clock)
    try:
        await camera.open()
        await camera.keep_raw(True)
        yield camera
    finally:
        await camera.close()


def dng_of(frame: Frame) -> bytes:
    assert isinstance(frame.raw, RawMosaic)
    model = CameraModel(make="Raspberry Pi", model="HQ Camera (imx477)", focal_length_mm=9, pixel_pitch_um=3.1)
    file = BytesIO()
    write_dng(file, frame.raw, DngFacts(model, frame.exposure_us, frame.analogue_gain, WHEN, "scannerd"))
    return file.getvalue()


def developed(dng: bytes) -> NDArray[np.uint8]:
    with rawpy.imread(BytesIO(dng)) as raw:
        return np.asarray(
            raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                gamma=(2.4, 12.92),  # sRGB's, as LibRaw wants to be told
                output_color=rawpy.ColorSpace.sRGB,
                demosaic_algorithm=rawpy.DemosaicAlgorithm.LINEAR,
            )
        )


@pytest.mark.parametrize("sensor", [IMX477, IMX708], ids=["12 bits", "10 bits"])
@pytest.mark.parametrize("gains", [(2.1, 1.9), (1.4, 3.0)])
async def test_the_colours_of_the_chart_are_those_of_the_photo(
    sensor: SensorModel, gains: tuple[float, float]
) -> None:
    with install_bench(colour_chart, sensor=sensor) as bench:
        async with raw_camera(bench, colour_gains=gains) as camera:
            frame = await camera.capture()
    pixels = developed(dng_of(frame))
    assert isinstance(frame.raw, RawMosaic)
    assert pixels.shape[:2] == (frame.raw.height_px, frame.raw.width_px)
    np.testing.assert_allclose(patches(pixels), patches(frame.photo.rgb()), atol=WITHIN_LEVELS)


async def test_it_says_how_it_was_taken(bench: Bench) -> None:
    async with raw_camera(bench, exposure_us=30_000, analogue_gain=2.0) as camera:
        frame = await camera.capture()
        described_bytes = camera.description.raw_bytes
    dng = dng_of(frame)
    assert described_bytes is not None
    assert len(dng) <= 2028 * 1520 * 2 + 20_000 + 1520
    assert len(dng) <= described_bytes * 1.01
    with tifffile.TiffFile(BytesIO(dng)) as file:
        (page,) = file.pages
        told = {name: page.tags[number].value for name, number in TAGS.items()}
    numerator, denominator = told.pop("exposure")
    assert numerator / denominator == pytest.approx(frame.exposure_us * 1e-6, rel=1e-4)
    assert told == {
        "make": "Raspberry Pi",
        "model": "HQ Camera (imx477)",
        "unique": "Raspberry Pi HQ Camera (imx477)",
        "orientation": 1,
        "iso": 200,
        "pattern": bytes([0, 1, 1, 2]),
        "white": 4095,
        "black": (256, 1) * 4,
        "neutral": (10, 21, 1, 1, 10, 19),
        "when": WHEN.astimezone().strftime("%Y:%m:%d %H:%M:%S"),
    }


TAGS = {
    "make": 271, "model": 272, "orientation": 274, "exposure": 33434, "iso": 34855, "pattern": 33422, "white": 50717,
    "black": 50714, "neutral": 50728, "unique": 50708, "when": 36867,
}  # fmt: skip


async def test_a_pi_5_is_asked_for_whole_pixels() -> None:
    """Packed ones come compressed there, in a way that nobody else reads."""
    with install_bench(colour_chart, sensor=replace(IMX477, on_a_pi5=True)) as bench:
        async with raw_camera(bench) as camera:
            frame = await camera.capture()
    assert isinstance(frame.raw, RawMosaic)
    assert (frame.raw.format.bits, frame.raw.format.packed, frame.raw.black_levels) == (16, False, (4096,) * 4)
    np.testing.assert_allclose(patches(developed(dng_of(frame))), patches(frame.photo.rgb()), atol=WITHIN_LEVELS)


async def test_only_who_asks_gets_it_and_the_lock_stays(card: GreyCard) -> None:
    with install_bench(card) as bench:
        async with raw_camera(bench, width_px=320, height_px=240) as camera:
            settings = await camera.lock(replace(camera.settings, exposure_us=11_000))
            assert (await camera.capture()).raw is not None
            pictures = bench.world.pictures
            await camera.keep_raw(False)
            frame = await camera.capture()
            assert (frame.raw, bench.world.pictures) == (None, pictures + 1)
            assert frame.exposure_us == settings.exposure_us
            await camera.keep_raw(True)
            assert (await camera.capture()).raw is not None


async def test_raw_and_photo_are_one_exposure(card: GreyCard) -> None:
    with install_bench(card) as bench:
        async with raw_camera(bench, width_px=320, height_px=240) as camera:
            card.exposures.clear()
            await camera.capture()
    assert len(card.exposures) == 1, "the picture that the mosaic is made of is the photo's own"


async def test_a_camera_that_has_nothing_raw_says_so_and_goes_on(bench: Bench) -> None:
    camera: Camera = camera_driver("v4l2")(V4l2Options(width_px=320, height_px=240), bench.clock)
    await camera.open()
    with pytest.raises(CameraUnusable, match="Bench Webcam: delivers nothing raw"):
        await camera.keep_raw(True)
    assert (await camera.capture()).raw is None
    await camera.close()
