"""Faults of the world that a hand can cause, as the drivers meet them."""

from collections.abc import AsyncIterator

import pytest

from drivers.bench.install import Bench
from drivers.options import Picamera2Options, StepperGpioOptions
from drivers.protocols import Camera, CameraTimeout
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
