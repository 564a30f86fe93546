"""Which library moves the pins: the first that gpiozero can use here, and why not those before it.

gpiozero chooses at the first use and warns on the way; here each is tried by itself, so that somebody can be told.
"""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from gpiozero import Device

from drivers.pulse_choice import pigpio_answers

IN_ORDER = ("lgpio", "rpigpio", "pigpio", "native")
"""As gpiozero 2 tries them."""
_CLASSES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
    "mock": ("gpiozero.pins.mock", "MockFactory"),
}
_IMPOSED = "GPIOZERO_PIN_FACTORY"
LGPIO_FOLDER = "LG_WD"
"""Where lgpio writes its pipe; the current folder otherwise."""
TRIED_WITHIN_S = 12.0


@dataclass(frozen=True)
class PinFactory:
    """Who moves the pins of this process, or would."""

    name: str | None
    """lgpio, rpigpio, pigpio, native, mock, simulated; None: nobody can."""
    reasons: tuple[str, ...] = ()
    """Why not those before it: `lgpio: can not open gpiochip`."""


def pin_factory_here() -> PinFactory:
    """Try them in gpiozero's order, in a process of its own: lgpio starts a thread and writes a file when loaded.

    Claims no pin. Raises subprocess.TimeoutExpired when a library hangs.
    """
    if Device.pin_factory is not None:
        return PinFactory(_known_name(Device.pin_factory))
    with TemporaryDirectory(prefix="scannerd-pins-") as folder:
        environment = {**os.environ, LGPIO_FOLDER: folder}
        command = [sys.executable, "-m", "drivers.pin_factory"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TRIED_WITHIN_S)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return PinFactory(None, (f"trying them ended with {done.returncode}: {last}",))
    name, reasons = json.loads(done.stdout.splitlines()[-1])
    return PinFactory(name, tuple(reasons))


def first_that_works() -> PinFactory:
    """Try them in this process."""
    imposed = os.environ.get(_IMPOSED)
    reasons: list[str] = []
    for name in (imposed,) if imposed else IN_ORDER:
        reason = _why_not(name)
        if reason is None:
            return PinFactory(name, tuple(reasons))
        reasons.append(f"{name}: {reason}")
    return PinFactory(None, tuple(reasons))


def _known_name(factory: object) -> str:
    kind = type(factory)
    for name, (module, class_name) in _CLASSES.items():
        if (kind.__module__, kind.__name__) == (module, class_name):
            return name
    return "simulated"


def _why_not(name: str) -> str | None:
    if name not in _CLASSES:
        return f"{_IMPOSED} names no pin factory that is known here"
    if name == "pigpio" and not pigpio_answers():
        return "pigpiod does not run"
    module_name, class_name = _CLASSES[name]
    try:
        factory = getattr(importlib.import_module(module_name), class_name)()
    except Exception as error:  # noqa: BLE001 - each library fails in its own way, and any of them means no
        return str(error) or type(error).__name__
    factory.close()
    return None


if __name__ == "__main__":
    found = first_that_works()
    print(json.dumps([found.name, found.reasons]))
