import asyncio
import gc
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers import registry
from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.platter import PlatterMechanics
from drivers.bench.scene import Exposure
from drivers.options import Picamera2Options, StepperGpioOptions
from drivers.options_v4l2 import V4l2Options
from drivers.picture import Planes
from drivers.protocols import Camera, CameraTimeout, DriverError, Glimpse, NeedsPerson
from drivers.stepper_gpio import StepperGpio

OPTIONS = {
    "picamera2": Picamera2Options(width_px=320, height_px=240, focal_length_mm=9.0),
    "v4l2": V4l2Options(width_px=320, height_px=240),
}
FOCUS = {"picamera2": "lens_position_dioptres", "v4l2": "focus_dioptres"}
MODEL = {"picamera2": "imx477", "v4l2": "Bench Webcam"}


def build_camera(kind: str = "picamera2", **changes: Any) -> Camera:
    camera: Camera = registry.camera_driver(kind)(replace(OPTIONS[kind], **changes))
    return camera


@pytest.fixture(params=OPTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def camera(bench: Bench, kind: str) -> AsyncIterator[Camera]:
    opened = build_camera(kind)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def ribbon_camera(bench: Bench) -> AsyncIterator[Camera]:
    opened = build_camera()
    await opened.open()
    yield opened
    await opened.close()


async def test_it_says_what_it_is(ribbon_camera: Camera) -> None:
    description = ribbon_camera.description
    assert (description.make, description.model) == ("Raspberry Pi", "HQ Camera (imx477)")
    assert (description.width_px, description.height_px) == (320, 240)
    assert description.sensor_width_mm == pytest.approx(6.287, abs=1e-3)
    assert description.focal_length_mm == 9.0
    assert description.readout_s == pytest.approx(1 / 40)


async def test_a_frame_is_exposed_after_the_call_with_the_locked_values(camera: Camera, card: GreyCard) -> None:
    for _ in range(3):
        called_s = time.monotonic()
        frame = await camera.capture()
        assert frame.exposed_at_s >= called_s
        assert frame.exposure_us == pytest.approx(20_000, rel=1e-3)
        assert frame.analogue_gain == 1.0
        assert card.exposures[-1].exposure_us == pytest.approx(frame.exposure_us, rel=1e-3)


async def test_pictures_are_whole_and_the_callers_own(camera: Camera) -> None:
    first = await camera.capture()
    planes = [plane for picture in (first.photo, first.small) for plane in (picture.y, picture.u, picture.v)]
    assert [plane.shape for plane in planes] == [(240, 320)] + 2 * [(120, 160)] + [(120, 160)] + 2 * [(60, 80)]
    assert all(plane.dtype == np.uint8 and plane.flags.owndata and plane.flags.c_contiguous for plane in planes)
    kept = [plane.copy() for plane in planes]
    for _ in range(5):
        other = await camera.capture()
        other.photo.y[:] = other.small.u[:] = 0
    for plane, before in zip(planes, kept, strict=True):
        np.testing.assert_array_equal(plane, before)


@pytest.mark.parametrize("width_px", [320, 322])
async def test_red_and_blue_keep_their_places(bench: Bench, width_px: int) -> None:
    camera = build_camera(colour_gains=(3.0, 1.0), width_px=width_px)
    await camera.open()
    frame = await camera.capture()
    await camera.close()
    assert frame.photo.rgb().shape == (240, width_px, 3)
    pixels = np.concatenate([frame.photo.rgb().reshape(-1, 3), frame.small.rgb().reshape(-1, 3)])
    level = 19_997 / 200
    expected = np.array([level * 3.0 / 2.1, level, level * 1.0 / 1.9])
    np.testing.assert_allclose(pixels.min(axis=0), expected, atol=2.5)
    np.testing.assert_allclose(pixels.max(axis=0), expected, atol=2.5)


@pytest.mark.parametrize(("exposure_us", "level"), [(5_000, 25), (10_000, 50), (40_000, 200)])
async def test_brightness_follows_the_exposure(bench: Bench, kind: str, exposure_us: float, level: float) -> None:
    camera = build_camera(kind, exposure_us=exposure_us)
    await camera.open()
    frame = await camera.capture()
    await camera.close()
    assert frame.exposure_us == pytest.approx(exposure_us, rel=0.01)
    assert frame.photo.y.mean() == pytest.approx(level, abs=1.5)


async def test_only_frames_that_somebody_looks_at_are_computed(bench: Bench, camera: Camera, card: GreyCard) -> None:
    await bench.clock.wait_until(bench.clock.now_s() + 0.5)
    await camera.capture()
    assert bench.world.exposures >= 10
    assert bench.world.pictures == len(card.exposures) == 1


async def test_looking_costs_companions_and_one_photo(bench: Bench, ribbon_camera: Camera, card: GreyCard) -> None:
    seen: list[Glimpse] = []

    def third(glimpse: Glimpse) -> bool:
        seen.append(glimpse)
        return len(seen) == 3

    called_s = time.monotonic()
    frame = await ribbon_camera.capture(third)
    assert (bench.world.pictures, bench.world.companions) == (1, 3)
    assert seen[0].exposed_at_s >= called_s
    assert frame.small is seen[2].picture
    assert frame.exposed_at_s == seen[2].exposed_at_s
    assert [exposure.width_px for exposure in card.exposures] == [160, 160, 160, 320]
    await ribbon_camera.glimpse()
    assert (bench.world.pictures, bench.world.companions) == (1, 4)


async def test_every_frame_is_shown_in_order(bench: Bench, camera: Camera, card: GreyCard) -> None:
    """A keeper that is a little slow now and then misses none: buffers hold what comes meanwhile."""
    starts_s: list[float] = []

    def watch(glimpse: Glimpse) -> bool:
        starts_s.append(glimpse.exposed_at_s)
        if len(starts_s) % 10 == 5:
            time.sleep(1.5 / 40)
        return len(starts_s) == 40

    await camera.capture(watch)
    exposed = list(dict.fromkeys(exposure.noise_seed for exposure in card.exposures))
    assert exposed == list(range(exposed[0], exposed[0] + 40)), "the world numbers what the sensor exposes"
    assert starts_s == sorted(starts_s)


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


async def test_a_lock_returns_once_a_frame_shows_it(bench: Bench, camera: Camera) -> None:
    before = camera.settings
    assert before.exposure_us == pytest.approx(20_000, rel=1e-3)
    assert before.focus_dioptres is None
    for exposure_us in (5_000, 30_000):
        locked = await camera.lock(replace(before, exposure_us=exposure_us))
        frame = await camera.capture()
        assert frame.exposure_us == locked.exposure_us == pytest.approx(exposure_us, rel=0.01)
        assert camera.settings == locked
        assert frame.photo.y.mean() == pytest.approx(exposure_us / 200, abs=1.5)
    with pytest.raises(NeedsPerson, match="ExposureTime 1 µs is outside"):
        await camera.lock(replace(before, exposure_us=1))


async def test_what_was_shown_can_be_asked_for_again_and_again(fast_bench: Bench, kind: str) -> None:
    camera = build_camera(kind, exposure_us=15_777)
    await camera.open()
    usual = camera.settings
    for _ in range(4):
        await camera.lock(replace(usual, exposure_us=usual.exposure_us * 2))
        again = await camera.lock(usual)
        assert again == usual
        usual = again
    await camera.close()


async def test_frames_follow_each_other_at_the_pace(bench: Bench, ribbon_camera: Camera) -> None:
    async def frame_us_after_some() -> float:
        seen: list[Glimpse] = []

        def twelfth(glimpse: Glimpse) -> bool:
            seen.append(glimpse)
            return len(seen) == 12

        return (await ribbon_camera.capture(twelfth)).metadata["FrameDuration"]

    await ribbon_camera.pace(0.04)
    assert await frame_us_after_some() == pytest.approx(40_000, abs=10)
    await ribbon_camera.pace(None)
    assert await frame_us_after_some() == pytest.approx(25_000, abs=10)
    await ribbon_camera.pace(0.001)
    assert await frame_us_after_some() == pytest.approx(25_000, abs=10), "never less than the sensor needs"


async def test_the_world_stands_still_while_a_picture_is_computed(card: GreyCard, kind: str) -> None:
    moments: list[tuple[float, float]] = []

    def slow(*exposure_and_pixels: object) -> None:
        before_s = bench.clock.now_s()
        time.sleep(0.2)
        moments.append((before_s, bench.clock.now_s()))

    with install_bench(slow) as bench:
        camera = build_camera(kind)
        await camera.open()
        await camera.capture()
        await camera.close()
    assert moments
    assert all(after_s == before_s for before_s, after_s in moments)


async def test_the_world_goes_on_where_pictures_lie_ready() -> None:
    moments: list[tuple[float, float]] = []
    photo = Planes.from_rgb(np.full((240, 320, 3), 90, np.uint8))
    grey = {320: photo, 160: photo.shrunk(160, 120)}

    class Ready:
        def planes(self, exposure: Exposure) -> Planes:
            before_s = bench.clock.now_s()
            time.sleep(0.02)
            moments.append((before_s, bench.clock.now_s()))
            return grey[exposure.width_px]

    with install_bench(Ready()) as bench:
        camera = build_camera()
        await camera.open()
        frame = await camera.capture()
        await camera.close()
    assert len(moments) == 2, "photo and companion are both asked for"
    assert all(after_s > before_s for before_s, after_s in moments)
    np.testing.assert_array_equal(frame.photo.y, 90)
    np.testing.assert_array_equal(frame.small.y, 90)


async def test_a_swinging_platter_blurs_and_a_settled_one_does_not(card: GreyCard, kind: str) -> None:
    # It swings for so long that a busy machine still finds it swinging.
    with install_bench(card, mechanics=PlatterMechanics(damping_ratio=0.03)) as bench:
        camera, axis = build_camera(kind), StepperGpio(StepperGpioOptions(), bench.clock)
        await camera.open()
        await axis.home()
        await axis.move_to(20)
        await camera.capture()
        await bench.clock.wait_until(bench.clock.now_s() + 4.0)
        await camera.capture()
        await axis.close()
        await camera.close()
    swinging, settled = (exposure.platter_angles_deg for exposure in card.exposures)
    assert len(swinging) > 1
    assert max(swinging) - min(swinging) > 0.01
    assert settled == pytest.approx((20.0,), abs=bench.step_deg)


async def test_an_empty_table_can_be_photographed(bench: Bench, camera: Camera, card: GreyCard) -> None:
    bench.world.remove_object()
    await camera.capture()
    bench.world.place_object()
    await camera.capture()
    assert [exposure.object_present for exposure in card.exposures] == [False, True]


async def test_a_whole_ring_on_a_fast_clock(fast_bench: Bench, card: GreyCard, kind: str) -> None:
    camera, axis = build_camera(kind), StepperGpio(StepperGpioOptions(), fast_bench.clock)
    await camera.open()
    await axis.home()
    targets_deg = [45.0 * index for index in range(8)]
    for target_deg in targets_deg:
        await axis.move_to(target_deg)
        await fast_bench.clock.wait_until(fast_bench.clock.now_s() + 1.2)
        called_s = time.monotonic()
        assert (await camera.capture()).exposed_at_s >= called_s
    await axis.close()
    await camera.close()
    seen_deg = [float(np.mean(exposure.platter_angles_deg)) for exposure in card.exposures]
    assert seen_deg == pytest.approx(targets_deg, abs=fast_bench.step_deg)


async def test_a_picture_that_cannot_be_computed_is_an_error_of_that_frame_only(kind: str) -> None:
    failing = [True, False, False]

    def source(_: object, pixels: NDArray[np.uint8]) -> None:
        if failing.pop(0):
            raise RuntimeError("the renderer died")
        pixels[:] = 7

    with install_bench(source) as bench:
        camera = build_camera(kind, buffer_count=2)
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
    said = rf"no image from {MODEL[kind]} in 0\.\d s .*, nor after a new.*(ribbon cable|USB camera)"
    with pytest.raises(CameraTimeout, match=said):
        await camera.capture()
    bench.world.camera_hangs = False
    assert (await camera.capture()).photo.y.shape == (240, 320), "it recovers when the sensor does"


async def test_an_impossible_exposure_is_refused_at_opening(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, exposure_us=1.0)
    with pytest.raises(NeedsPerson, match=rf"{MODEL[kind]}: ExposureTime 1 µs is outside (16|300.0) to"):
        await camera.open()
    await camera.close()


async def test_a_gain_below_the_sensors_lowest_is_its_lowest(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, analogue_gain=0.5)
    await camera.open()
    assert (await camera.capture()).analogue_gain == 1.0
    await camera.close()


async def test_a_lens_without_a_motor_cannot_be_focused(bench: Bench, kind: str) -> None:
    camera = build_camera(kind, **{FOCUS[kind]: 2.0})
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
    with pytest.raises(NeedsPerson, match=rf"{MODEL[kind]}: takes 320x3040 in place of 320x8000; change"):
        await camera.open()
    await camera.close()


# picamera2 leaves the pipe of a camera that it could not open to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_camera_in_use_is_said_to_be(bench: Bench, camera: Camera, kind: str) -> None:
    second = build_camera(kind)
    with pytest.raises(
        NeedsPerson,
        match=r"(camera 0|Bench Webcam): .*busy; stop|Bench Webcam at /dev/video0: .*busy; stop the other program",
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


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


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
