"""What only a USB camera does: formats, automatics of its own, a plug that is pulled out."""

import re
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import videodev2 as v4l2
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, running, until
from still_life import MIDDLE, StillLife

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.scene import Exposure
from drivers.bench.sensor_models import IMX708
from drivers.camera_exposure import HIGHLIGHT_LEVEL, HIGHLIGHT_TOLERANCE_LEVELS, highlight_level
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import Camera, Glimpse, NeedsPerson
from drivers.registry import camera_driver
from offload.wire.bundle import Intrinsics
from scannerd.commands import StartScan
from scannerd.config import IntrinsicsSection
from scannerd.events import Outcome, ScanEnded
from scannerd.hardware import build_device

OPTIONS = V4l2Options(width_px=320, height_px=240)


def built(bench: Bench, **changes: Any) -> Camera:
    camera: Camera = camera_driver("v4l2")(replace(OPTIONS, **changes), bench.clock)
    return camera


@asynccontextmanager
async def opened(bench: Bench, **changes: Any) -> AsyncIterator[Camera]:
    camera = built(bench, **changes)
    try:
        await camera.open()
        yield camera
    finally:
        await camera.close()


class Colours:
    """`PictureSource`: red, green, blue and grey, each a quarter."""

    LEVELS = ((200, 40, 40), (40, 180, 60), (50, 60, 210), (128, 128, 128))

    def __call__(self, _: Exposure, out: NDArray[np.uint8], /) -> None:
        for quarter, level in enumerate(self.LEVELS):
            width = out.shape[1] // 4
            out[:, quarter * width : (quarter + 1) * width] = level


@pytest.mark.parametrize("fourcc", [v4l2.V4L2_PIX_FMT_MJPEG, v4l2.V4L2_PIX_FMT_YUYV], ids=["MJPEG", "YUYV"])
@pytest.mark.parametrize("width_px", [320, 2040], ids=["halved", "quartered"])
async def test_colours_are_right_in_every_format(fourcc: int, width_px: int) -> None:
    with install_bench(Colours()) as bench:
        bench.video.formats = [fourcc]
        async with opened(bench, width_px=width_px) as camera:
            frame = await camera.capture()
    for picture in (frame.photo.rgb(), frame.small.rgb()):
        quarter = picture.shape[1] // 4
        for number, level in enumerate(Colours.LEVELS):
            inside = picture[:, number * quarter + quarter // 4 : (number + 1) * quarter - quarter // 4]
            np.testing.assert_allclose(inside.reshape(-1, 3).mean(axis=0), level, atol=3)


async def test_what_is_known_of_the_lens_is_told(bench: Bench) -> None:
    async with opened(bench, focal_length_mm=6.0, sensor_width_mm=7.2) as camera:
        description = camera.description
    assert (description.make, description.model) == ("USB camera", "Bench Webcam")
    assert (description.focal_length_mm, description.sensor_width_mm) == (6.0, 7.2)
    async with opened(bench) as camera:
        description = camera.description
    seen_deg = np.rad2deg(2 * np.arctan(description.sensor_width_mm / 2 / description.focal_length_mm))
    assert seen_deg == pytest.approx(65, abs=0.5)


async def test_a_calibrated_lens_is_what_photos_say_of_it(tmp_path: Path) -> None:
    usual = bench_config(tmp_path)
    lens = tmp_path / "lens.json"
    lens.write_text(
        Intrinsics(width_px=640, height_px=480, fx_px=800, fy_px=800, cx_px=320, cy_px=240).model_dump_json()
    )
    changes = {
        "camera": usual.camera.model_copy(update={"driver": "v4l2"}),
        "intrinsics": IntrinsicsSection(file=lens),
    }
    with install_bench(OverheadCamera()) as bench:
        camera: Camera = build_device("camera", usual.model_copy(update=changes), bench.clock)
        await camera.open()
        told = camera.description
        await camera.close()
    assert told.focal_length_mm / told.sensor_width_mm == pytest.approx(800 / 640)


async def test_frames_that_waited_for_nobody_are_not_taken_for_new_ones(bench: Bench, card: GreyCard) -> None:
    """The kernel keeps the oldest frames, and loses those for which no buffer is free."""
    async with opened(bench) as camera:
        await bench.clock.wait_until(bench.clock.now_s() + 0.5)
        called_s = time.monotonic()
        frame = await camera.capture()
        assert frame.exposed_at_s >= called_s
        assert len(card.exposures) == 1


async def test_frames_come_no_closer_than_the_pace(bench: Bench) -> None:
    starts_s: list[float] = []

    def watch(glimpse: Glimpse) -> bool:
        starts_s.append(glimpse.exposed_at_s)
        return len(starts_s) == 5

    async with opened(bench) as camera:
        await camera.pace(0.1)
        await camera.capture(watch)
    assert np.diff(starts_s).min() >= 0.1 - 1e-6


@pytest.mark.parametrize("patch", [0.9, 0.05, 8.0, 30.0])
async def test_highlights_of_the_object_are_bright_and_whole(patch: float) -> None:
    with install_bench(StillLife(patch, 0.2), speed=3) as bench:
        async with opened(bench, width_px=640, height_px=480) as camera:
            settings = await camera.meter(MIDDLE)
            frames = [await camera.capture() for _ in range(2)]
    for frame in frames:
        level = highlight_level(frame.small, MIDDLE)
        # At the shortest exposures one step of 100 µs is a fifth of the light.
        coarse = 25 if settings.exposure_us < 1500 else 0
        assert HIGHLIGHT_LEVEL - coarse - HIGHLIGHT_TOLERANCE_LEVELS - 2 <= level
        assert level <= HIGHLIGHT_LEVEL + HIGHLIGHT_TOLERANCE_LEVELS + 2
        assert frame.exposure_us == settings.exposure_us


async def test_what_was_found_can_be_locked_again(bench: Bench) -> None:
    with_focus = {"exposure_us": 12_300.0, "analogue_gain": 3.0}
    async with opened(bench, **with_focus) as camera:
        found = camera.settings
        await camera.lock(replace(found, exposure_us=40_000, colour_gains=(1.5, 2.5)))
        assert await camera.lock(found) == found


async def test_a_motor_moves_the_lens() -> None:
    with install_bench(GreyCard(), sensor=IMX708) as bench:
        async with opened(bench, focus_dioptres=4.0) as camera:
            assert camera.settings.focus_dioptres == pytest.approx(4.0, abs=0.1)
            there = (await camera.capture()).metadata["LensPosition"]
            nearer = await camera.lock(replace(camera.settings, focus_dioptres=6.0))
            assert nearer.focus_dioptres == pytest.approx(6.0, abs=0.1)
            assert (await camera.capture()).metadata["LensPosition"] > there


async def test_what_is_not_on_usb_is_taken_only_by_name(bench: Bench) -> None:
    """A Pi's ribbon cable and its image processors are video devices too, and deliver no pictures to look at."""
    bench.video.bus = b"platform:unicam"
    camera = built(bench)
    with pytest.raises(NeedsPerson, match="no camera on USB"):
        await camera.open()
    await camera.close()
    async with opened(bench, device="/dev/video0") as named:
        assert (await named.capture()).photo.width_px == 320


async def test_a_camera_whose_exposure_cannot_be_set_is_refused(bench: Bench) -> None:
    del bench.video.controls.ranges[v4l2.V4L2_CID_EXPOSURE_ABSOLUTE]
    camera = built(bench)
    with pytest.raises(NeedsPerson, match="its exposure cannot be set"):
        await camera.open()
    await camera.close()


async def test_a_camera_with_nothing_but_an_exposure_works(bench: Bench) -> None:
    for number in (
        v4l2.V4L2_CID_GAIN,
        v4l2.V4L2_CID_AUTO_WHITE_BALANCE,
        v4l2.V4L2_CID_WHITE_BALANCE_TEMPERATURE,
    ):
        del bench.video.controls.ranges[number]
    async with opened(bench) as camera:
        assert camera.settings.analogue_gain == 1.0
        assert (await camera.capture()).photo.width_px == 320


async def test_a_picture_torn_on_the_way_is_left_out(bench: Bench) -> None:
    async with opened(bench) as camera:
        bench.video.tears_pictures = 2
        assert (await camera.capture()).photo.y.mean() == pytest.approx(100, abs=2)


async def test_a_plug_pulled_out_and_put_in_again(bench: Bench, card: GreyCard) -> None:
    async with opened(bench, exposure_us=30_000) as camera:
        await camera.capture()
        bench.video.pull_out()
        with pytest.raises(NeedsPerson, match="camera: the kernel sees no camera on USB; plug the USB camera in"):
            await camera.capture()
        bench.video.plug_in()
        called_s = time.monotonic()
        frame = await camera.capture()
    assert frame.exposed_at_s >= called_s
    assert frame.photo.y.mean() == pytest.approx(150, abs=1.5), "it is locked to what it was before"


HEADER = Path("/usr/include/linux/videodev2.h")
USED = sorted(
    set(re.findall(r"v4l2\.(VIDIOC_\w+)", (Path(__file__).parents[2] / "drivers/v4l2_device.py").read_text()))
)
PROGRAM = "#include <stdio.h>\n#include <linux/videodev2.h>\nint main(void){%s return 0;}"


@pytest.mark.skipif(not HEADER.exists(), reason=f"LOUD: {HEADER} is not there; apt install linux-libc-dev")
def test_the_kernels_own_header_agrees(tmp_path: Path) -> None:
    """An ioctl's number holds the size of its structure."""
    source, program = tmp_path / "numbers.c", tmp_path / "numbers"
    source.write_text(PROGRAM % "".join(f'printf("%lu\\n", (unsigned long){name});' for name in USED))
    subprocess.run(["gcc", "-o", program, source], check=True)
    numbers = [int(line) for line in subprocess.run([program], capture_output=True, check=True).stdout.split()]
    assert [getattr(v4l2, name) & 0xFFFFFFFF for name in USED] == numbers
    assert len(USED) == 12


async def test_a_scan_with_a_usb_camera_goes_round(tmp_path: Path) -> None:
    # The bench's mat is sharper than any lens could show it: Motion-JPEG makes its edges a little wider.
    usual = bench_config(tmp_path, more="min_relative_sharpness = 0")
    config = usual.model_copy(update={"camera": usual.camera.model_copy(update={"driver": "v4l2"})})
    with install_bench(OverheadCamera(), speed=10) as bench:
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("usb"))
                ended = (await until(events, ScanEnded))[-1]
    assert isinstance(ended, ScanEnded)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 6)
