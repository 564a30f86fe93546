"""A signal lamp on a GPIO pin, the light-emitting diode in the button, or a buzzer that sounds by itself."""

from gpiozero import DigitalOutputDevice

from drivers.options import LampGpioOptions
from drivers.pin_faults import claiming_pin, driving_pin


class GpioLamp:
    """`Lamp` over gpiozero. Which pattern it shows is decided elsewhere."""

    def __init__(self, options: LampGpioOptions) -> None:
        """Claim the pin, dark. Raises DriverError when it cannot be had."""
        with claiming_pin(options.name, options.section):
            self._pin = DigitalOutputDevice(options.pin, initial_value=False)
        self._name = options.name

    def set_on(self, on: bool) -> None:
        """Switch it; returns at once. Raises DriverError."""
        with driving_pin(self._name):
            self._pin.value = on

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""
        if not self._pin.closed:
            self._pin.off()
        self._pin.close()
