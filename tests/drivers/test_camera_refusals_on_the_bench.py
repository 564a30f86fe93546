"""What a camera on the bench says when it cannot: settings, faults, opening and closing."""

import asyncio
import gc
from pathlib import Path

import numpy as np
import pytest
from bench_cameras import FOCUS, MODEL, build_camera
from numpy.typing import NDArray

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.protocols import Camera, CameraTimeout, DriverError, Glimpse, NeedsPerson


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_what_keep_raises_comes_out_and_nothing_is_left(bench: Bench, camera: Camera) -> None:
    def stumble(_: Glimpse) -> bool:
        raise ZeroDivisionError

    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            await camera.capture(stumble)
    assert (await camera.capture()).photo.width_px == 320, "no buffer is held"


async def test_a_capture_that_nobody_awaits_any_more_ends(bench: Bench, camera: Camera) -> None:
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await camera.capture(lambda glimpse: False)
    assert (await camera.capture()).photo.width_px == 320


async def test_a_picture_that_cannot_be_computed_is_an_error_of_that_frame_only(stream_kind: str) -> None:
    failing = [True, False, False]

    def source(_: object, pixels: NDArray[np.uint8]) -> None:
        if failing.pop(0):
            raise RuntimeError("the renderer died")
        pixels[:] = 7

    with install_bench(source) as bench:
        camera = build_camera(stream_kind, buffer_count=2)
        await camera.open()
        with pytest.raises(RuntimeError, match="the renderer died"):
            await camera.capture()
        await bench.clock.wait_until(bench.clock.now_s() + 0.3)
        for _ in range(2):
            assert (await camera.capture()).photo.y.mean() == 7
        await camera.close()
    assert bench.world.pictures == 2


async def test_a_sensor_that_falls_silent_is_a_timeout_with_a_remedy(
    bench: Bench, kind: str, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.camera_session.GRACE_S", 0.2)
    monkeypatch.setattr("drivers.v4l2_session.GRACE_S", 0.2)
    bench.world.camera_hangs = True
    said = rf"(no image from )?{MODEL[kind]} (in 0\.\d s|.* takes no photo).*, nor after a new.*(ribbon cable|USB ca)"
    with pytest.raises(CameraTimeout, match=said):
        await camera.capture()
    bench.world.camera_hangs = False
    assert (await camera.capture()).photo.y.shape == (240, 320), "it recovers when the sensor does"


async def test_an_impossible_exposure_is_refused_at_opening(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, exposure_us=1.0)
    with pytest.raises(NeedsPerson, match=rf"{MODEL[kind]}: ExposureTime 1 µs is outside (16|300.0|247.5) to"):
        await camera.open()
    await camera.close()


async def test_a_gain_below_the_sensors_lowest_is_its_lowest(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, analogue_gain=0.5)
    await camera.open()
    assert (await camera.capture()).analogue_gain == 1.0
    await camera.close()


async def test_a_lens_without_a_motor_cannot_be_focused(bench: Bench, stream_kind: str) -> None:
    camera = build_camera(stream_kind, **{FOCUS[stream_kind]: 2.0})
    with pytest.raises(NeedsPerson, match="has no focus motor"):
        await camera.open()
    await camera.close()


async def test_an_interchangeable_lens_must_be_named(bench: Bench) -> None:
    camera = build_camera(focal_length_mm=None)
    with pytest.raises(NeedsPerson, match=r"imx477: .*focal_length_mm"):
        await camera.open()
    await camera.close()


async def test_a_size_that_cannot_be_is_refused_at_opening(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, height_px=8000)
    found = {"gphoto2": "320x240"}.get(kind, "320x3040")
    with pytest.raises(NeedsPerson, match=rf"{MODEL[kind]}: takes {found} in place of 320x8000; change"):
        await camera.open()
    await camera.close()


# picamera2 leaves the pipe of a camera that it could not open to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_camera_in_use_is_said_to_be(bench: Bench, camera: Camera, kind: str) -> None:
    second = build_camera(kind)
    with pytest.raises(
        NeedsPerson,
        match=r"(camera 0|Bench Webcam): .*busy; stop|Bench Webcam at /dev/video0: .*busy; stop the other program"
        r"|camera: Could not claim the USB device .*another program has it",
    ):
        await second.open()
    await second.close()
    assert (await camera.capture()).photo.y.shape == (240, 320)


async def test_a_camera_that_is_not_there(bench: Bench) -> None:
    camera = build_camera(camera_index=1)
    with pytest.raises(NeedsPerson, match="libcamera sees 1 cameras; check the ribbon cable"):
        await camera.open()
    await camera.close()


async def test_before_opening_and_after_closing_it_says_so(bench: Bench, kind: str) -> None:
    camera = build_camera(kind)
    with pytest.raises(DriverError, match="not open"):
        _ = camera.description
    with pytest.raises(DriverError, match="not open"):
        await camera.capture()
    await camera.close()
    await camera.close()
    with pytest.raises(DriverError, match="closed"):
        await camera.open()


async def test_no_file_stays_open(card: GreyCard, kind: str) -> None:
    async def whole_life() -> int:
        with install_bench(card):
            camera = build_camera(kind)
            await camera.open()
            await camera.capture()
            await camera.close()
        return open_files()

    after_first = await whole_life()
    assert await whole_life() == after_first
