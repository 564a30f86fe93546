"""The devices of one scanner, built by the names in the configuration."""

from dataclasses import dataclass, replace
from typing import Any

from drivers import registry
from drivers.clock import SystemClock
from drivers.options import Picamera2Options
from drivers.options_v4l2 import USUAL_FOCAL_LENGTH_MM, V4l2Options
from drivers.protocols import Axis, Button, Camera, Clock, EmergencyStop, Lamp, Light
from scannerd.config import Config


@dataclass(frozen=True)
class Hardware:
    """What a daemon commands. It is closed by the daemon that was given it."""

    axis: Axis
    camera: Camera
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

    @property
    def motors(self) -> list[Axis]:
        """What an emergency stop stops."""
        return [motor for motor in (self.axis, self.lift) if motor is not None]


DEVICES = {
    "turntable": "axis",
    "lift": "lift",
    "camera": "camera",
    "button": "button",
    "led": "lamp",
    "light": "light",
    "emergency_stop": "emergency_stop",
    "buzzer": "buzzer",
}
"""Section of config.toml → the device in `Hardware` that it describes; the motors first, which are let go first."""


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
            return registry.camera_driver(config.camera.driver)(_camera_options(config), clock)
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


def _camera_options(config: Config) -> Picamera2Options | V4l2Options:
    """A USB camera that does not say what its lens is like is told what a calibration found."""
    options = config.camera.camera_options()
    if not isinstance(options, V4l2Options) or options.sensor_width_mm is not None:
        return options
    known = config.intrinsics.lens()
    if known is None:
        return options
    focal_length_mm = config.camera.lens_focal_length_mm or USUAL_FOCAL_LENGTH_MM
    width_mm = focal_length_mm * known.width_px / known.fx_px
    return replace(options, focal_length_mm=focal_length_mm, sensor_width_mm=width_mm)
