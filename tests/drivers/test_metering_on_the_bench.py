"""Exposure, white balance and focus, found on the object and locked: judged in the photos that follow."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pytest
from still_life import MIDDLE, StillLife

from drivers.bench.automatics import COLOUR_CAST_CORRECTED, NEUTRAL_GAINS
from drivers.bench.install import Bench, install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.scene import Scene, SceneCamera, SceneObject
from drivers.bench.sensor_models import IMX477, IMX708, SensorModel
from drivers.camera_exposure import HIGHLIGHT_LEVEL, HIGHLIGHT_TOLERANCE_LEVELS, highlight_level
from drivers.options import Picamera2Options
from drivers.protocols import Camera, Frame, NeedsPerson
from drivers.registry import camera_driver


@asynccontextmanager
async def opened(bench: Bench, width_px: int = 640, height_px: int = 480) -> AsyncIterator[Camera]:
    options = Picamera2Options(width_px, height_px, focal_length_mm=9.0)
    camera: Camera = camera_driver("picamera2")(options, bench.clock)
    try:
        await camera.open()
        yield camera
    finally:
        await camera.close()


@pytest.mark.parametrize("glint", [False, True])
@pytest.mark.parametrize(
    ("patch", "around"), [(0.9, 0.02), (0.05, 0.9), (8.0, 0.1), (0.02, 0.5), (0.3, 0.3)],
    ids=["bright in the dark", "dark in the bright", "glaring", "nearly black", "even"],
)  # fmt: skip
async def test_highlights_of_the_object_are_bright_and_whole(patch: float, around: float, glint: bool) -> None:
    still_life = StillLife(patch, around)
    still_life.glint = glint
    with install_bench(still_life, speed=20) as bench:
        async with opened(bench) as camera:
            settings = await camera.meter(MIDDLE)
            frames = [await camera.capture() for _ in range(3)]
    for frame in frames:
        level = highlight_level(frame.small, MIDDLE)
        assert level == pytest.approx(HIGHLIGHT_LEVEL, abs=HIGHLIGHT_TOLERANCE_LEVELS + 2)
        assert (frame.exposure_us, frame.analogue_gain) == (settings.exposure_us, settings.analogue_gain)
    assert settings.analogue_gain == 1.0 or settings.exposure_us > 50_000, "gain only where time is not enough"
    assert settings.focus_dioptres is None


async def test_an_object_too_dark_for_the_sensor_gets_all_there_is() -> None:
    with install_bench(StillLife(0.0005, 0.01), speed=20) as bench:
        async with opened(bench) as camera:
            settings = await camera.meter(MIDDLE)
    assert settings.analogue_gain == pytest.approx(22, rel=0.05)
    assert settings.exposure_us == pytest.approx(60_000, rel=0.01)


async def test_colours_are_those_that_the_automatic_found_and_stay() -> None:
    with install_bench(StillLife(0.5, 0.4, colour=(1.3, 1.0, 0.7)), speed=20) as bench:
        async with opened(bench) as camera:
            settings = await camera.meter(MIDDLE)
            frame = await camera.capture()
    red, _, blue = srgb_to_linear(frame.small.rgb())[10:60, 10:60].reshape(-1, 3).mean(axis=0)
    assert settings.colour_gains[0] < NEUTRAL_GAINS[0] < NEUTRAL_GAINS[1] * 1.2
    assert settings.colour_gains[1] > NEUTRAL_GAINS[1]
    assert red / blue == pytest.approx((1.3 / 0.7) ** (1 - COLOUR_CAST_CORRECTED), rel=0.05)


async def test_light_that_never_rests_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.bench.automatics.TREMBLING", 0.2)
    with install_bench(StillLife(0.5, 0.4), speed=20) as bench:
        async with opened(bench) as camera:
            monkeypatch.setattr("drivers.camera_meter.FRAMES_TO_REST", 20)
            with pytest.raises(NeedsPerson, match=r"exposure times gain still goes from .* keep the light steady"):
                await camera.meter(MIDDLE)
            await camera.lock(camera.settings)
            assert (await camera.capture()).exposure_us == camera.settings.exposure_us


def thing() -> SceneObject:
    """A block, 60 mm wide and deep, 90 mm tall, painted."""
    corners = np.array([[x, y, z] for x in (-30, 30) for y in (-30, 30) for z in (0, 90)], np.float32)
    faces = np.array(
        [[0, 4, 5], [0, 5, 1], [4, 6, 7], [4, 7, 5], [6, 2, 3], [6, 3, 7], [2, 0, 1], [2, 1, 3], [1, 5, 7], [1, 7, 3],
         [0, 2, 6], [0, 6, 4]],
        np.uint32,
    )  # fmt: skip
    return SceneObject(corners, faces, paint_seed=3, height_mm=90)


@contextmanager
def focusing_bench(sensor: SensorModel) -> Iterator[Bench]:
    lens = SceneCamera(f_number=1.8, focal_length_mm=4.74, distance_mm=300, focus_distance_mm=300)
    with install_bench(Scene(thing(), charuco_mat(), lens), speed=20, sensor=sensor) as bench:
        yield bench


def steepness(frame: Frame) -> float:
    """Return how sharp the middle of the photo is."""
    height, width = frame.photo.y.shape
    middle = frame.photo.y[height // 3 : height * 2 // 3, width * 2 // 5 : width * 3 // 5]
    return float(cv2.Laplacian(middle, cv2.CV_32F).var())


async def test_the_lens_is_focused_on_the_window_and_stays_there() -> None:
    with focusing_bench(IMX708) as bench:
        async with opened(bench, 960, 540) as camera:
            assert camera.description.model == "Camera Module 3 (imx708)"
            assert camera.settings.focus_dioptres == pytest.approx(1.0)
            before = await camera.capture()
            settings = await camera.meter(MIDDLE)
            frames = [await camera.capture() for _ in range(2)]
            assert settings.focus_dioptres == pytest.approx(1000 / 285, abs=0.45)
            for frame in frames:
                assert frame.metadata["LensPosition"] == pytest.approx(settings.focus_dioptres)
                assert steepness(frame) > 3 * steepness(before)
            away = await camera.lock(replace(settings, focus_dioptres=settings.focus_dioptres + 2.0))
            assert away.focus_dioptres == pytest.approx(settings.focus_dioptres + 2.0)
            assert steepness(await camera.capture()) < steepness(frames[0]) / 3, "a focus bracket is seen"


async def test_a_search_may_be_over_before_the_exposure_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    short = {"FRAMES_A_STEP": 1, "SWEEP_DIOPTRES": (2.0, 4.0), "FINE_DIOPTRES": 0.5, "LEAST_CONTRAST": 1.0}
    for name, value in short.items():
        monkeypatch.setattr(f"drivers.bench.automatics.{name}", value)
    with focusing_bench(IMX708) as bench:
        async with opened(bench, 640, 360) as camera:
            assert (await camera.meter(MIDDLE)).focus_dioptres == pytest.approx(3.5, abs=0.5)


async def test_nothing_to_focus_on_needs_a_person() -> None:
    with install_bench(StillLife(0.5, 0.5), speed=20, sensor=IMX708) as bench:
        async with opened(bench) as camera:
            with pytest.raises(NeedsPerson, match="nothing sharp could be found"):
                await camera.meter(MIDDLE)


async def test_a_lens_without_a_motor_is_left_as_it_is() -> None:
    with install_bench(StillLife(0.5, 0.4), speed=20, sensor=IMX477) as bench:
        async with opened(bench) as camera:
            with pytest.raises(NeedsPerson, match="has no focus motor"):
                await camera.lock(replace(camera.settings, focus_dioptres=2.0))
