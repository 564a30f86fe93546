"""A driver's name in config.toml → its class, imported only when somebody asks for it.

Late loading is what lets a laptop read the same config as a Pi: libcamera and the GPIO libraries are imported when a
driver that needs them is built, and their absence is an error with a remedy rather than a traceback at start-up.
"""

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from drivers.protocols import Axis, Button, Camera, DriverError, EmergencyStop, Lamp, Light

if TYPE_CHECKING:
    from drivers.button_gpio import GpioButton
    from drivers.camera_gphoto2 import Gphoto2Camera
    from drivers.camera_picamera2 import Picamera2Camera
    from drivers.camera_v4l2 import V4l2Camera
    from drivers.emergency_stop_gpio import GpioEmergencyStop
    from drivers.lamp_gpio import GpioLamp
    from drivers.light_gpio import GpioLight
    from drivers.light_ws2812 import Ws2812Light
    from drivers.stepper_gpio import StepperGpio
    from drivers.stepper_serial import GrblAxis, MarlinAxis, TableAxis

    # Loading by name hides the classes from mypy; here it sees that each keeps its protocol.
    _AXES: tuple[type[Axis], ...] = (StepperGpio, GrblAxis, MarlinAxis, TableAxis)
    _CAMERAS: tuple[type[Camera], ...] = (Picamera2Camera, V4l2Camera, Gphoto2Camera)
    _BUTTONS: tuple[type[Button], ...] = (GpioButton,)
    _LAMPS: tuple[type[Lamp], ...] = (GpioLamp,)
    _LIGHTS: tuple[type[Light], ...] = (GpioLight, Ws2812Light)
    _EMERGENCY_STOPS: tuple[type[EmergencyStop], ...] = (GpioEmergencyStop,)

AXES = {
    "stepper_gpio": "drivers.stepper_gpio:StepperGpio",
    "grbl": "drivers.stepper_serial:GrblAxis",
    "marlin": "drivers.stepper_serial:MarlinAxis",
    "serial_table": "drivers.stepper_serial:TableAxis",
}
CAMERAS = {
    "picamera2": "drivers.camera_picamera2:Picamera2Camera",
    "v4l2": "drivers.camera_v4l2:V4l2Camera",
    "gphoto2": "drivers.camera_gphoto2:Gphoto2Camera",
}
BUTTONS = {"gpio": "drivers.button_gpio:GpioButton"}
LAMPS = {"gpio": "drivers.lamp_gpio:GpioLamp"}
LIGHTS = {"gpio": "drivers.light_gpio:GpioLight", "ws2812": "drivers.light_ws2812:Ws2812Light"}
EMERGENCY_STOPS = {"gpio": "drivers.emergency_stop_gpio:GpioEmergencyStop"}

APT_PACKAGES = {
    "gpiozero": "python3-gpiozero python3-lgpio",
    "lgpio": "python3-lgpio",
    "libcamera": "python3-libcamera",
    "picamera2": "python3-picamera2",
    "prctl": "python3-prctl",
    "pykms": "python3-kms++",
    "videodev2": "python3-videodev2",
    "serial": "python3-serial",
}
"""Which Debian package on Raspberry Pi OS holds a library that pip cannot build."""


class UnknownDriver(DriverError):
    """The config names a driver that does not exist."""


class MissingLibrary(DriverError):
    """The driver exists, and the library that it stands on is not installed."""


def axis_driver(name: str) -> Any:
    """Return the class for `[turntable] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("axis", AXES, name)


def camera_driver(name: str) -> Any:
    """Return the class for `[camera] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("camera", CAMERAS, name)


def button_driver(name: str) -> Any:
    """Return the class for `[button] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("button", BUTTONS, name)


def lamp_driver(name: str) -> Any:
    """Return the class for `[led] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("lamp", LAMPS, name)


def light_driver(name: str) -> Any:
    """Return the class for `[light] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("light", LIGHTS, name)


def emergency_stop_driver(name: str) -> Any:
    """Return the class for `[emergency_stop] driver`. Raises UnknownDriver, MissingLibrary."""
    return _load("emergency stop", EMERGENCY_STOPS, name)


def _load(kind: str, known: Mapping[str, str], name: str) -> Any:
    if name not in known:
        raise UnknownDriver(f"{kind} driver {name!r}: unknown; {_suggest(known, name)}")
    module_name, class_name = known[name].split(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        library = (error.name or module_name).partition(".")[0]
        package = APT_PACKAGES.get(library)
        remedy = f"sudo apt install {package}" if package else f"pip install {library}"
        raise MissingLibrary(f"{kind} driver {name!r} needs {library}, which is not installed; {remedy}") from error
    return getattr(module, class_name)


def _suggest(known: Mapping[str, str], name: str) -> str:
    nearest = get_close_matches(name, known, n=1, cutoff=0.5)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"use one of {', '.join(sorted(known))}"
