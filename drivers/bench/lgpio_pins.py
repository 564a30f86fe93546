"""gpiozero's own lgpio factory on the bench's wires, in place of its mock: one layer more that is not simulated."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gpiozero import Device

from drivers.bench.gpio_chip import GpioChip
from drivers.bench.install import SITE, Bench
from drivers.bench.pins import Wire

PI_4 = 0xC03111
"""The revision code of a Raspberry Pi 4: which pins there are."""


@contextmanager
def lgpio_beneath(bench: Bench) -> Iterator[GpioChip]:
    """Let gpiozero reach the bench through (a simulated) lgpio until the block ends. Build the drivers inside.

    Raises RuntimeError where this process has loaded the real lgpio.
    """
    chip = GpioChip(_numbered(bench), bench.clock)
    bench.pins.listen(chip.sense)
    lgpio = _simulated_lgpio()
    lgpio.plug_in(chip)
    factory_module = importlib.import_module("gpiozero.pins.lgpio")

    class PiFactory(factory_module.LGPIOFactory):  # type: ignore[name-defined,misc]
        """As on a Pi, which knows its own revision."""

        def _get_revision(self) -> int:
            return PI_4

    before, Device.pin_factory = Device.pin_factory, PiFactory()
    try:
        yield chip
    finally:
        Device.pin_factory.close()
        Device.pin_factory = before
        bench.pins.listen(None)
        lgpio.unplug()


def _numbered(bench: Bench) -> dict[int, Wire]:
    return {int(name.removeprefix("GPIO")): wire for name, wire in bench.pins.wires.items()}


def _simulated_lgpio() -> Any:
    sys.path.insert(0, str(SITE))
    try:
        lgpio = importlib.import_module("lgpio")
    finally:
        sys.path.remove(str(SITE))
    if Path(lgpio.__file__ or "").parent != SITE:
        raise RuntimeError(f"bench: this process uses the real lgpio from {lgpio.__file__}; use another one")
    return lgpio
