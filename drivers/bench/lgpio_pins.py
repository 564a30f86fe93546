"""gpiozero's own lgpio factory on the bench's wires, in place of its mock: one layer more that is not simulated."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpiozero import Device

from drivers import lgpio_process
from drivers.bench import lgpio_program
from drivers.bench.chip_socket import chip_socket
from drivers.bench.gpio_chip import GpioChip
from drivers.bench.install import SITE, Bench
from drivers.bench.pins import Wire

PI_4 = 0xC03111
"""The revision code of a Raspberry Pi 4: which pins there are."""


STAND_ON_LGPIO = ("lgpio", "gpiozero.pins.lgpio")
"""Modules that hold the one lgpio or the other."""


@contextmanager
def lgpio_beneath(bench: Bench) -> Iterator[GpioChip]:
    """Let gpiozero reach the bench through (a simulated) lgpio until the block ends. Build the drivers inside.

    What this process had loaded of the real lgpio is back afterwards.
    """
    chip = GpioChip(_numbered(bench), bench.clock)
    bench.pins.listen(chip.sense)
    with _simulated_lgpio() as lgpio, chip_socket(chip) as path, _program_beneath(path, bench.clock.speed):
        lgpio.plug_in(chip)
        before, Device.pin_factory = Device.pin_factory, _pi_factory()
        try:
            yield chip
        finally:
            Device.pin_factory.close()
            Device.pin_factory = before
            bench.pins.listen(None)
            lgpio.unplug()


def _pi_factory() -> Any:
    module = importlib.import_module("gpiozero.pins.lgpio")

    class PiFactory(module.LGPIOFactory):  # type: ignore[name-defined,misc]
        """As on a Pi, which knows its own revision."""

        def _get_revision(self) -> int:
            return PI_4

    return PiFactory()


@contextmanager
def _program_beneath(chip: str, speed: float) -> Iterator[None]:
    """Let the process that owns a STEP line find the chip, too."""
    before = lgpio_process.PROGRAM
    lgpio_process.PROGRAM = lgpio_program.__name__
    os.environ |= {lgpio_program.CHIP: chip, lgpio_program.SPEED: str(speed)}
    try:
        yield
    finally:
        lgpio_process.PROGRAM = before
        for name in (lgpio_program.CHIP, lgpio_program.SPEED):
            del os.environ[name]


def _numbered(bench: Bench) -> dict[int, Wire]:
    return {int(name.removeprefix("GPIO")): wire for name, wire in bench.pins.wires.items()}


@contextmanager
def _simulated_lgpio() -> Iterator[Any]:
    before = {name: sys.modules.pop(name, None) for name in STAND_ON_LGPIO}
    sys.path.insert(0, str(SITE))
    try:
        yield importlib.import_module("lgpio")
    finally:
        sys.path.remove(str(SITE))
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
