"""A signal lamp on a GPIO pin, the light-emitting diode in the button, or a buzzer that sounds by itself."""

from gpiozero import DigitalOutputDevice, GPIOZeroError

from drivers.options import LampGpioOptions
from drivers.protocols import DriverError


class GpioLamp:
    """`Lamp` over gpiozero. Which pattern it shows is decided elsewhere."""

    def __init__(self, options: LampGpioOptions) -> None:
        """Claim the pin, dark. Raises DriverError when it cannot be had."""
        try:
            self._pin = DigitalOutputDevice(options.pin, initial_value=False)
        except GPIOZeroError as error:
            raise DriverError(
                f"{options.name}: {error}; check [{options.section}] pin and who else uses GPIO"
            ) from error
        self._name = options.name

    def set_on(self, on: bool) -> None:
        """Switch it; returns at once. Raises DriverError."""
        try:
            self._pin.value = on
        except GPIOZeroError as error:
            raise DriverError(f"{self._name}: {error}; restart the daemon to claim the pin again") from error

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""
        if not self._pin.closed:
            self._pin.off()
        self._pin.close()
