"""The lines of a STEP/DIR driver board that do not pulse, and its index sensor, as gpiozero devices."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from types import MappingProxyType
from typing import Final

from gpiozero import DigitalInputDevice, DigitalOutputDevice, GPIOZeroError

from drivers.options import StepperGpioOptions
from drivers.protocols import DriverError

MICROSTEP_LEVELS: Final[Mapping[str, Mapping[int, tuple[int, ...]]]] = MappingProxyType(
    {
        "a4988": {1: (0, 0, 0), 2: (1, 0, 0), 4: (0, 1, 0), 8: (1, 1, 0), 16: (1, 1, 1)},
        "drv8825": {1: (0, 0, 0), 2: (1, 0, 0), 4: (0, 1, 0), 8: (1, 1, 0), 16: (0, 0, 1), 32: (1, 0, 1)},
        "tmc2209": {2: (1, 0), 4: (0, 1), 8: (0, 0), 16: (1, 1)},
    }
)
"""Board → microsteps → levels of MS1, MS2 (, MS3), from the chips' data sheets."""


class StepperLines:
    """DIR, ENABLE, MS1 to MS3 and the index."""

    def __init__(self, options: StepperGpioOptions) -> None:
        """Claim them, motor off. Raises GPIOZeroError when one cannot be had, DriverError for impossible levels."""
        self._options = options
        with ExitStack() as claimed:
            self._claimed = claimed
            self._dir = self._output(options.dir_pin)
            self._enable = None
            if options.enable_pin is not None:
                self._enable = self._output(options.enable_pin, active_high=not options.enable_active_low)
            for pin, level in zip(options.microstep_pins, microstep_levels(options), strict=True):
                self._output(pin).value = level
            self._index = None
            if (index := options.index) is not None:
                self._index = DigitalInputDevice(index.pin, pull_up=index.active_low)
                claimed.callback(self._index.close)
            self._claimed = claimed.pop_all()

    @property
    def energised(self) -> bool:
        """Whether the motor has current; a board without ENABLE always has."""
        return self._enable is None or bool(self._enable.value)

    def energise(self) -> None:
        """Let the motor hold."""
        if self._enable is not None:
            self._enable.on()

    def let_go(self) -> None:
        """Switch the motor off, from any thread; nothing once the lines are freed."""
        with suppress(GPIOZeroError):
            if self._enable is not None:
                self._enable.off()

    def turn(self, *, forward: bool) -> None:
        """Let the next steps go this way."""
        self._dir.value = forward != self._options.reversed

    @property
    def at_index(self) -> bool:
        """Whether the index is met at this moment."""
        return self._index is not None and bool(self._index.value)

    def on_index(self, listener: Callable[[], None] | None) -> None:
        """Tell `listener`, in a thread of gpiozero's, when the index is met; None: nobody."""
        if self._index is not None:
            self._index.when_activated = listener

    def close(self) -> None:
        """Off, then free; safe to call twice. A freed pin is an input, which leaves ENABLE to the board's pull."""
        self._claimed.close()

    def _output(self, pin: int, *, active_high: bool = True) -> DigitalOutputDevice:
        line = DigitalOutputDevice(pin, active_high=active_high, initial_value=False)
        self._claimed.callback(_free, line)
        return line


def microstep_levels(options: StepperGpioOptions) -> tuple[int, ...]:
    """Return the levels of the MS pins, none where the board is strapped. Raises DriverError for impossible ones."""
    pins = options.microstep_pins
    if not pins:
        return ()
    levels = MICROSTEP_LEVELS[options.board].get(options.microsteps)
    if levels is None or len(levels) != len(pins):
        known = ", ".join(str(microsteps) for microsteps in MICROSTEP_LEVELS[options.board])
        needed = len(next(iter(MICROSTEP_LEVELS[options.board].values())))
        raise DriverError(
            f"{options.name}: {options.board} with {len(pins)} MS pins and {options.microsteps} microsteps: it has "
            f"{needed} MS pins and makes {known} microsteps"
        )
    return levels


def _free(line: DigitalOutputDevice) -> None:
    if not line.closed:
        line.off()
        line.close()
