"""The devices of one scanner, built by the names in the configuration."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from drivers import registry
from drivers.clock import SystemClock
from drivers.options_v4l2 import USUAL_FOCAL_LENGTH_MM, V4l2Options
from drivers.protocols import Axis, Button, Camera, Clock, DriverError, EmergencyStop, Lamp, Light
from scannerd.config import Config
from scannerd.config_camera import AnyCameraOptions


@dataclass(frozen=True)
class Hardware:
    """What a daemon commands. It is closed by the daemon that was given it."""

    axis: Axis
    camera: Camera
    """The first one, which says when the platter rests."""
    button: Button | None
    clock: Clock
    lamp: Lamp | None = None
    """In the button."""
    light: Light | None = None
    """On the object."""
    lift: Axis | None = None
    """Raises the camera; its angle is the camera's elevation above the platter."""
    emergency_stop: EmergencyStop | None = None
    buzzer: Lamp | None = None
    """Sounds while it is on."""
    others: tuple[Camera, ...] = ()
    """Further cameras that look at the same table."""

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """All, by number."""
        return (self.camera, *self.others)

    @property
    def has_raw(self) -> bool:
        """Whether every camera delivers raw files, as a scan that keeps them needs; not before they were open."""
        try:
            return all(camera.description.raw_bytes is not None for camera in self.cameras)
        except DriverError:
            return False

    @property
    def motors(self) -> list[Axis]:
        """What an emergency stop stops."""
        return [motor for motor in (self.axis, self.lift) if motor is not None]


DEVICES = {
    "turntable": "axis",
    "lift": "lift",
    "camera": "camera",
    "cameras": "others",
    "button": "button",
    "led": "lamp",
    "light": "light",
    "emergency_stop": "emergency_stop",
    "buzzer": "buzzer",
}
"""Section of config.toml → the device in `Hardware` that it describes; the motors first, which are let go first.
Of the other cameras there is a tuple."""


def build_hardware(config: Config, clock: Clock | None = None) -> Hardware:
    """Claim pins and build drivers; the camera is opened later. Raises DriverError."""
    clock = clock or SystemClock()
    return Hardware(clock=clock, **{name: build_device(section, config, clock) for section, name in DEVICES.items()})


def build_device(section: str, config: Config, clock: Clock) -> Any:
    """Build the device that one section describes; None when it says none. Raises DriverError."""
    match section:
        case "turntable":
            return registry.axis_driver(config.turntable.driver)(config.turntable.axis_options(), clock)
        case "lift" if config.lift.driver != "none":
            return registry.axis_driver(config.lift.driver)(config.lift.axis_options(), clock)
        case "camera":
            return build_camera(config, 0, clock)
        case "cameras":
            return tuple(build_camera(config, number, clock) for number in range(1, len(config.every_camera)))
        case "button" if config.button.driver != "none":
            return registry.button_driver(config.button.driver)(config.button.button_options())
        case "led" if config.led.driver != "none":
            return registry.lamp_driver(config.led.driver)(config.led.lamp_options())
        case "light" if config.light.driver != "none":
            return registry.light_driver(config.light.driver)(config.light.light_options())
        case "emergency_stop" if config.emergency_stop.driver != "none":
            return registry.emergency_stop_driver(config.emergency_stop.driver)(config.emergency_stop.stop_options())
        case "buzzer" if config.buzzer.driver != "none":
            return registry.lamp_driver(config.buzzer.driver)(config.buzzer.buzzer_options())
    return None


async def open_cameras(cameras: Iterable[Camera], names: Iterable[str]) -> None:
    """Open them one after the other. Raises DriverError, which names the camera."""
    for camera, name in zip(cameras, names, strict=True):
        try:
            await camera.open()
        except DriverError as fault:
            raise type(fault)(f"camera {name}: {fault}") from fault


def build_camera(config: Config, number: int, clock: Clock) -> Camera:
    """Build one of the cameras; it is opened later. Raises DriverError."""
    driver = registry.camera_driver(config.every_camera[number].driver)
    camera: Camera = driver(_camera_options(config, number), clock)
    return camera


def _camera_options(config: Config, number: int) -> AnyCameraOptions:
    """A USB camera that does not say what its lens is like is told what a calibration found."""
    section = config.every_camera[number]
    options = section.camera_options()
    if not isinstance(options, V4l2Options) or options.sensor_width_mm is not None:
        return options
    known = config.lens_of(number)
    if known is None:
        return options
    focal_length_mm = section.lens_focal_length_mm or USUAL_FOCAL_LENGTH_MM
    width_mm = focal_length_mm * known.width_px / known.fx_px
    return replace(options, focal_length_mm=focal_length_mm, sensor_width_mm=width_mm)
