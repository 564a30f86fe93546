"""A dimmable light on the object: a transistor on a GPIO pin, pulse width modulated."""

from gpiozero import PWMOutputDevice

from drivers.options import LightGpioOptions
from drivers.pin_faults import claiming_pin, driving_pin
from drivers.protocols import WHITE, Colour, DriverError


class GpioLight:
    """`Light` over gpiozero, of one colour."""

    has_colours = False

    def __init__(self, options: LightGpioOptions) -> None:
        """Claim the pin and shine with the configured level. Raises DriverError when it cannot be had."""
        with claiming_pin("light"):
            self._pin = PWMOutputDevice(options.pin, initial_value=options.level, frequency=options.frequency_hz)

    def set_level(self, level: float, colour: Colour = WHITE) -> None:
        """Shine with this share of all there is, 0 to 1, whatever the colour; returns at once. Raises DriverError."""
        if not 0 <= level <= 1:
            raise DriverError(f"light: level {level}: use 0 (off) to 1 (all there is)")
        with driving_pin("light"):
            self._pin.value = level

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""
        if not self._pin.closed:
            self._pin.off()
        self._pin.close()
