"""What a camera on the bench delivers: whole pictures, exposed after the call, with the locked values."""

import gc
import time
from dataclasses import replace

import numpy as np
import pytest
from bench_cameras import build_camera

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.platter import PlatterMechanics
from drivers.bench.scene import Exposure
from drivers.options import StepperGpioOptions
from drivers.picture import Planes
from drivers.protocols import Camera, Glimpse, NeedsPerson
from drivers.stepper_gpio import StepperGpio


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


async def test_only_frames_that_somebody_looks_at_are_computed(bench: Bench, stream: Camera, card: GreyCard) -> None:
    await bench.clock.wait_until(bench.clock.now_s() + 0.5)
    await stream.capture()
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


async def test_frames_that_nobody_looks_at_do_not_end_the_stream(bench: Bench, ribbon_camera: Camera) -> None:
    """picamera2's thread looks whether it has a callback and reads it again to call it: it must not become none."""
    (stream,) = [one for one in gc.get_objects() if type(one).__name__ == "Picamera2" and one.started]
    for _ in range(3):
        await ribbon_camera.capture()
        assert callable(stream.pre_callback)


async def test_every_frame_is_shown_in_order(bench: Bench, stream: Camera, card: GreyCard) -> None:
    """A keeper that is a little slow now and then misses none: buffers hold what comes meanwhile."""
    starts_s: list[float] = []

    def watch(glimpse: Glimpse) -> bool:
        starts_s.append(glimpse.exposed_at_s)
        if len(starts_s) % 10 == 5:
            time.sleep(1.5 / 40)
        return len(starts_s) == 40

    await stream.capture(watch)
    exposed = list(dict.fromkeys(exposure.noise_seed for exposure in card.exposures))
    assert exposed == list(range(exposed[0], exposed[0] + 40)), "the world numbers what the sensor exposes"
    assert starts_s == sorted(starts_s)


async def test_a_lock_returns_once_a_frame_shows_it(bench: Bench, camera: Camera) -> None:
    before = camera.settings
    assert before.exposure_us == pytest.approx(20_000, rel=1e-3)
    assert before.focus_dioptres is None
    for exposure_us in (5_000, 40_000):
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
    swinging, settled = (exposure.platter_angles_deg for exposure in card.exposures[-2:])
    assert len(swinging) > 1
    assert max(swinging) - min(swinging) > 0.01
    assert settled == pytest.approx((20.0,), abs=bench.step_deg)


async def test_an_empty_table_can_be_photographed(bench: Bench, camera: Camera, card: GreyCard) -> None:
    bench.world.remove_object()
    await camera.capture()
    bench.world.place_object()
    await camera.capture()
    assert [exposure.object_present for exposure in card.exposures[-2:]] == [False, True]


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
    seen_deg = [float(np.mean(exposure.platter_angles_deg)) for exposure in card.exposures[-8:]]
    assert seen_deg == pytest.approx(targets_deg, abs=fast_bench.step_deg)
