"""One suite for the devices of a config.toml: on the bench always, on a real scanner with `--hardware`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from onlooker import BenchOnlooker, Onlooker, Person
from under_way import FAR_DEG

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import install_bench
from drivers.clock import SystemClock
from drivers.protocols import Axis, AxisNotHomed, Button, Camera, Clock, EmergencyStop, EmergencyStopped, Lamp, Light
from scannerd.config import Config
from scannerd.demo.setting import demo_lift, demo_wiring
from scannerd.hardware import build_device
from scannerd.settings.file import parse_config, read_config

SPEED = 8.0
WAIT_S = 60.0
"""So long a person may take."""
BENCH = """
[camera]
width_px = 320
height_px = 240
metering = "configured"
[lift]
driver = "stepper_gpio"
[led]
driver = "gpio"
[light]
driver = "gpio"
level = 0.0
[emergency_stop]
driver = "gpio"
[buzzer]
driver = "gpio"
"""


@dataclass
class Rig:
    """The devices of one configuration, built when a test asks, and who looks at them."""

    config: Config
    clock: Clock
    onlooker: Onlooker
    devices: AsyncExitStack
    far_deg: float
    """A way that nothing comes to the end of before it is interrupted."""

    def build(self, name: str) -> Any:
        """Skips loudly where the configuration has none."""
        device = build_device(name, self.config, self.clock)
        if device is None:
            pytest.skip(f'NOT FITTED: [{name}] driver = "none" in this config.toml')
        if asyncio.iscoroutinefunction(device.close):
            self.devices.push_async_callback(device.close)
        else:
            self.devices.callback(device.close)
        return device


@pytest.fixture
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as devices:
        if request.config.getoption("--hardware"):
            config = read_config(request.config.getoption("--hardware-config"))
            yield Rig(config, SystemClock(), Person(request.config), devices, 360.0)
            return
        config = parse_config(BENCH)
        bench = devices.enter_context(install_bench(GreyCard(), SPEED, demo_wiring(config), lift=demo_lift(config)))
        yield Rig(config, bench.clock, BenchOnlooker(bench), devices, FAR_DEG)


async def homed(rig: Rig) -> Axis:
    axis: Axis = rig.build("turntable")
    await axis.home()
    return axis


@pytest.mark.needs("turntable", "person")
async def test_the_platter_turns_a_quarter_and_comes_back_in_the_time_that_it_says(rig: Rig) -> None:
    axis = await homed(rig)
    start_deg = axis.angle_deg
    floor_s, began_s = axis.move_time_s(start_deg, start_deg + 90), rig.clock.now_s()
    reached_deg = await axis.move_to(start_deg + 90)
    took_s = rig.clock.now_s() - began_s
    assert reached_deg == pytest.approx(start_deg + 90, abs=2 * axis.step_deg)
    assert 0.9 * floor_s <= took_s
    what = "the platter made a quarter turn, counter-clockwise seen from above, and stands"
    assert await rig.onlooker.saw(what, lambda bench: abs(bench.world.platter.settled_angle_deg - reached_deg) < 0.1)
    await axis.move_to(start_deg)
    what = "it came back to where it was"
    assert await rig.onlooker.saw(what, lambda bench: abs(bench.world.platter.settled_angle_deg - start_deg) < 0.1)


@pytest.mark.needs("turntable")
async def test_a_move_that_is_cancelled_ends_and_its_place_is_known(rig: Rig) -> None:
    axis = await homed(rig)
    start_deg = axis.angle_deg
    move = asyncio.create_task(axis.move_to(start_deg + rig.far_deg))
    await rig.clock.wait_until(rig.clock.now_s() + 1.0)
    move.cancel()
    with pytest.raises(asyncio.CancelledError):
        await move
    assert start_deg < axis.angle_deg < start_deg + rig.far_deg - 1
    await axis.move_to(start_deg)


@pytest.mark.needs("turntable", "person")
async def test_a_released_motor_lets_the_platter_go(rig: Rig) -> None:
    axis = await homed(rig)
    await axis.move_to(axis.angle_deg + 5)
    what = "a light push does not turn the platter: its motor holds"
    assert await rig.onlooker.saw(what, lambda bench: bench.motor_enabled)
    await axis.release()
    assert await rig.onlooker.saw("now a hand turns it easily", lambda bench: not bench.motor_enabled)


@pytest.mark.needs("turntable")
async def test_homing_twice_finds_the_same_place(rig: Rig) -> None:
    axis = await homed(rig)
    await axis.move_to(axis.angle_deg + 40)
    again = await axis.home()
    if again.found_by == "here":
        assert axis.angle_deg == 0, "without an index it stands at 0 because somebody says so"
        return
    assert again.off_deg is not None
    assert abs(again.off_deg) < max(0.3, 3 * axis.step_deg), "it lost steps, or its index is not repeatable"


@pytest.mark.needs("turntable", "person")
async def test_an_emergency_stop_ends_a_move_at_once(rig: Rig) -> None:
    axis = await homed(rig)
    move = asyncio.create_task(axis.move_to(axis.angle_deg + rig.far_deg))
    await rig.clock.wait_until(rig.clock.now_s() + 1.5)
    axis.emergency_stop()
    with pytest.raises(EmergencyStopped):
        await move
    with pytest.raises(AxisNotHomed):
        _ = axis.angle_deg
    what = "the platter stopped in the middle of its turn, without current"
    assert await rig.onlooker.saw(what, lambda bench: not bench.motor_enabled)


@pytest.mark.needs("lift", "person")
async def test_the_lift_raises_the_camera_and_lowers_it_again(rig: Rig) -> None:
    lift: Axis = rig.build("lift")
    mark_deg = rig.config.lift.home_deg
    what = f"put the camera at its mark, {mark_deg:g}° above the platter, within ten seconds"
    await rig.onlooker.please(what, lambda bench: bench.world.put_camera(mark_deg))
    await rig.clock.wait_until(rig.clock.now_s() + 10.0)
    await lift.believe(mark_deg)
    assert await lift.move_to(mark_deg + 5) == pytest.approx(mark_deg + 5, abs=2 * lift.step_deg)
    what = "the camera rose by some 5°"
    assert await rig.onlooker.saw(
        what, lambda bench: abs((bench.world.camera_elevation_deg or 0) - mark_deg - 5) < 0.1
    )
    await lift.move_to(mark_deg)


@pytest.mark.needs("camera")
async def test_a_photo_has_its_size_was_exposed_after_the_call_and_as_locked(rig: Rig) -> None:
    camera: Camera = rig.build("camera")
    await camera.open()
    locked = await camera.lock(replace(camera.settings, exposure_us=10_000.0))
    called_s = time.monotonic()
    frame = await camera.capture()
    assert (frame.photo.width_px, frame.photo.height_px) == (rig.config.camera.width_px, rig.config.camera.height_px)
    assert frame.exposed_at_s >= called_s
    assert frame.exposure_us == pytest.approx(locked.exposure_us, rel=0.02)
    darker = await brightness(camera)
    await camera.lock(replace(camera.settings, exposure_us=20_000.0))
    assert await brightness(camera) > 1.2 * darker, "twice the exposure shows; is the lens cap off?"


@pytest.mark.needs("camera", "light")
async def test_a_photo_is_brighter_in_the_light(rig: Rig) -> None:
    camera: Camera = rig.build("camera")
    light: Light = rig.build("light")
    await camera.open()
    light.set_level(0.0)
    dark = await brightness(camera)
    light.set_level(1.0)
    assert await brightness(camera) > 1.1 * dark


@pytest.mark.needs("led", "person")
async def test_the_lamp_in_the_button_shines(rig: Rig) -> None:
    lamp: Lamp = rig.build("led")
    lamp.set_on(True)
    assert await rig.onlooker.saw("the lamp in the button is lit", lambda bench: bench.world.lamp.lit)
    lamp.set_on(False)
    assert await rig.onlooker.saw("it is dark", lambda bench: not bench.world.lamp.lit)


@pytest.mark.needs("buzzer", "person")
async def test_the_buzzer_sounds_and_falls_silent(rig: Rig) -> None:
    buzzer: Lamp = rig.build("buzzer")
    buzzer.set_on(True)
    assert await rig.onlooker.saw("(hear) the buzzer sounds", lambda bench: bench.world.buzzer.lit)
    buzzer.set_on(False)
    assert await rig.onlooker.saw("(hear) it is silent", lambda bench: not bench.world.buzzer.lit)


@pytest.mark.needs("button", "person")
async def test_a_press_of_the_button_is_seen_both_ways(rig: Rig) -> None:
    button: Button = rig.build("button")
    assert not button.closed_contact, "the contact is closed already: button to ground, nothing leaning on it"
    edges: list[bool] = []
    button.on_edge(lambda closed, at_s: edges.append(closed))
    await rig.onlooker.please("press the button now, shortly", lambda bench: bench.finger.press())
    await when(lambda: True in edges and edges[-1] is False)
    button.on_edge(None)


@pytest.mark.needs("emergency_stop", "person")
async def test_the_emergency_stop_is_seen_pushed_and_released(rig: Rig) -> None:
    stop: EmergencyStop = rig.build("emergency_stop")
    assert not stop.pushed, "it counts as pushed already: a normally closed contact to ground, and its wire whole"
    await rig.onlooker.please("push the emergency stop now", lambda bench: bench.emergency_stop.push())
    await when(lambda: stop.pushed)
    await rig.onlooker.please("release it", lambda bench: bench.emergency_stop.release())
    await when(lambda: not stop.pushed)


async def brightness(camera: Camera) -> float:
    return float((await camera.capture()).photo.y.mean())


async def when(holds: Callable[[], bool]) -> None:
    """Return once it is so; a person may take their time."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
