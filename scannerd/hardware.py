"""The devices of one scanner, built by the names in the configuration."""

from dataclasses import dataclass

from drivers import registry
from drivers.clock import SystemClock
from drivers.protocols import Axis, Button, Camera, Clock, Lamp, Light
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


def build_hardware(config: Config, clock: Clock | None = None) -> Hardware:
    """Claim pins and build drivers; the camera is opened later. Raises DriverError."""
    clock = clock or SystemClock()
    camera: Camera = registry.camera_driver(config.camera.driver)(config.camera.camera_options())
    axis: Axis = registry.axis_driver(config.turntable.driver)(config.turntable.axis_options(), clock)
    return Hardware(axis, camera, _build_button(config), clock, _build_lamp(config), _build_light(config))


def _build_button(config: Config) -> Button | None:
    if config.button.driver == "none":
        return None
    button: Button = registry.button_driver(config.button.driver)(config.button.button_options())
    return button


def _build_lamp(config: Config) -> Lamp | None:
    if config.led.driver == "none":
        return None
    lamp: Lamp = registry.lamp_driver(config.led.driver)(config.led.lamp_options())
    return lamp


def _build_light(config: Config) -> Light | None:
    if config.light.driver == "none":
        return None
    light: Light = registry.light_driver(config.light.driver)(config.light.light_options())
    return light
