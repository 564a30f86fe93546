"""Faults of the world that a hand can cause, as the drivers meet them."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from drivers.bench.install import Bench
from drivers.options import Picamera2Options, StepperGpioOptions
from drivers.protocols import Camera, CameraTimeout, NeedsPerson
from drivers.registry import camera_driver
from drivers.stepper_gpio import StepperGpio


@pytest.fixture
async def camera(fast_bench: Bench) -> AsyncIterator[Camera]:
    camera: Camera = camera_driver("picamera2")(
        Picamera2Options(width_px=160, height_px=120, focal_length_mm=9.0, exposure_us=10_000)
    )
    await camera.open()
    yield camera
    await camera.close()


async def test_a_camera_that_hangs_is_a_timeout_and_works_again_afterwards(fast_bench: Bench, camera: Camera) -> None:
    fast_bench.world.camera_hangs = True
    with pytest.raises(CameraTimeout):
        await camera.capture()
    fast_bench.world.camera_hangs = False
    frame = await camera.capture()
    assert frame.photo.y.shape == (120, 160)


@pytest.fixture
def impatient(fast_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera_session.GRACE_S", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_a_camera_that_hangs_until_it_is_restarted_is_restarted_with_the_same_settings(
    fast_bench: Bench, camera: Camera
) -> None:
    locked = await camera.lock(replace(camera.settings, exposure_us=5_000, analogue_gain=2.0))
    await camera.pace(0.05)
    fast_bench.world.hang_camera_until_restarted()
    called_s = time.monotonic()
    frame = await camera.capture()
    assert frame.exposed_at_s > called_s
    assert not fast_bench.world.camera_hangs
    assert camera.settings == locked
    assert (frame.exposure_us, frame.analogue_gain) == (locked.exposure_us, locked.analogue_gain)
    assert frame.metadata["FrameDuration"] == pytest.approx(50_000, rel=0.01)
    fast_bench.world.hang_camera_until_restarted()
    assert (await camera.glimpse()).picture.width_px == 80


@pytest.mark.usefixtures("impatient")
async def test_a_camera_that_stays_silent_is_asked_anew_each_time(fast_bench: Bench, camera: Camera) -> None:
    fast_bench.world.camera_hangs = True
    for _ in range(2):
        with pytest.raises(CameraTimeout, match=r"no image from imx477 in 0\.\d s"):
            await camera.capture()
    fast_bench.world.camera_hangs = False
    assert (await camera.capture()).photo.width_px == 160


@pytest.mark.usefixtures("impatient")
async def test_a_camera_that_does_not_let_go_needs_a_person(
    fast_bench: Bench, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.camera_session.LETTING_GO_S", 1.0)
    fast_bench.world.camera_hangs = True
    fast_bench.world.camera_lets_go.clear()
    for _ in range(2):
        with pytest.raises(NeedsPerson, match="imx477: does not let go after 1 s; switch the scanner off"):
            await camera.capture()
    fast_bench.world.camera_hangs = False
    fast_bench.world.camera_lets_go.set()
    assert (await camera.capture()).photo.width_px == 160, "once it has let go, it works again"


async def test_who_gives_up_on_a_camera_that_does_not_close_waits_no_longer(
    fast_bench: Bench, camera: Camera
) -> None:
    def hanging() -> set[str]:
        return {thread.name for thread in threading.enumerate()} & {"camera-close", "camera_0"}

    await camera.capture()
    fast_bench.world.camera_lets_go.clear()
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await camera.close()
        assert hanging() == {"camera-close", "camera_0"}, "nobody waited for them"
    finally:
        fast_bench.world.camera_lets_go.set()
    async with asyncio.timeout(60):
        while hanging():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_keeper_that_refuses_for_long_is_not_a_hanging_camera(fast_bench: Bench, camera: Camera) -> None:
    began_s = time.monotonic()
    await camera.capture(lambda glimpse: glimpse.exposed_at_s > began_s + 1.0)
    assert fast_bench.world.companions > 20


@pytest.mark.usefixtures("impatient")
async def test_a_frame_that_is_very_late_costs_a_restart_and_no_person(fast_bench: Bench, camera: Camera) -> None:
    fast_bench.world.delay_next_frame(600.0)
    assert (await camera.capture()).photo.width_px == 160


async def test_a_late_frame_comes_late_once(fast_bench: Bench, camera: Camera) -> None:
    await camera.capture()
    clock, began_s = fast_bench.clock, fast_bench.clock.now_s()
    fast_bench.world.delay_next_frame(3.0)
    await camera.capture()
    assert clock.now_s() - began_s >= 3.0
    assert fast_bench.world.take_lateness_s() == 0


async def test_a_jammed_platter_stays_where_it_is_though_the_driver_believes_it_turned(fast_bench: Bench) -> None:
    axis = StepperGpio(StepperGpioOptions(), fast_bench.clock)
    await axis.home()
    fast_bench.world.jammed = True
    assert await axis.move_to(30) == pytest.approx(30, abs=axis.step_deg)
    assert fast_bench.angle_deg == pytest.approx(0, abs=0.01)
    assert fast_bench.world.pulses == 800
    await axis.close()
