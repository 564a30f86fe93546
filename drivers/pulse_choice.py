"""Who times the STEP pulses: the best that this machine has, or who was asked for.

pigpio's daemon has the chip's DMA do it (to the microsecond, Pis up to the 4); lgpio has a thread of its C library,
in a process of its own (tens of microseconds, any Pi); a thread of Python's own does it for any pin factory (about a
tenth of a millisecond).
"""

import importlib
import os
import socket
import struct

from gpiozero import Device, DigitalOutputDevice

from drivers.options import StepperGpioOptions
from drivers.protocols import Clock, DriverError
from drivers.pulse_player import GpioPulsePlayer, PulsePlayer
from drivers.pulse_queue import QueuedPulsePlayer

PIGPIO_VERSION = 26
"""The daemon's command that says which version it is."""
ANSWER_S = 0.3


def pulse_player(options: StepperGpioOptions, clock: Clock) -> PulsePlayer:
    """Take the STEP line and return who plays pulses on it. Raises DriverError, GPIOZeroError."""
    way = options.pulses if options.pulses != "auto" else _best_way()
    if way == "thread":
        return GpioPulsePlayer(DigitalOutputDevice(options.step_pin), clock)
    try:
        module = importlib.import_module(f"drivers.pulse_{way}")
    except ImportError as error:
        raise DriverError(
            f'{options.name}: pulses by {way}: {error}; pip install {way}, or set pulses = "auto"'
        ) from error
    if way == "lgpio":
        player: PulsePlayer = module.LgpioPulsePlayer(getattr(Device.pin_factory, "chip", 0), options.step_pin, clock)
        return player
    return QueuedPulsePlayer(way, module.PigpioPulseQueue(options.step_pin, *_pigpio_address()), clock)


def _best_way() -> str:
    """Only a Pi's own pins are anybody else's to pulse: a factory for tests has none."""
    factories = {kind.__module__ for kind in type(Device.pin_factory).__mro__}
    by_lgpio = "gpiozero.pins.lgpio" in factories
    if "gpiozero.pins.pigpio" in factories or ((by_lgpio or "gpiozero.pins.local" in factories) and pigpio_answers()):
        return "pigpio"
    return "lgpio" if by_lgpio else "thread"


def pigpio_answers() -> bool:
    """Whether pigpio's daemon runs: what listens on its port may be somebody else, and speak another language."""
    question = struct.pack("IIII", PIGPIO_VERSION, 0, 0, 0)
    try:
        with socket.create_connection(_pigpio_address(), ANSWER_S) as line:
            line.settimeout(ANSWER_S)
            line.sendall(question)
            answer = line.recv(len(question), socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == len(question) and answer[:4] == question[:4]


def _pigpio_address() -> tuple[str, int]:
    """Where its own programs look for the daemon, too."""
    return os.environ.get("PIGPIO_ADDR", "localhost"), int(os.environ.get("PIGPIO_PORT", "8888"))
