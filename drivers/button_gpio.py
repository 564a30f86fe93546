"""A push button on a GPIO pin."""

from collections.abc import Callable

from gpiozero import Button as GpiozeroButton
from gpiozero import GPIOZeroError

from drivers.options import ButtonGpioOptions
from drivers.protocols import DriverError

Callback = Callable[[], None]


class GpioButton:
    """`Button` over gpiozero: one press is either short or long, never both."""

    def __init__(self, options: ButtonGpioOptions) -> None:
        """Claim the pin. Raises DriverError when it cannot be had."""
        try:
            self._button = GpiozeroButton(
                options.pin, pull_up=True, bounce_time=options.bounce_s, hold_time=options.hold_s
            )
        except GPIOZeroError as error:
            raise DriverError(f"button: {error}; check [button] pin and who else uses GPIO") from error
        self._short: list[Callback] = []
        self._long: list[Callback] = []
        self._held = False
        self._button.when_pressed = self._pressed
        self._button.when_held = self._hold_time_reached
        self._button.when_released = self._released

    def on_short_press(self, callback: Callback) -> None:
        """Call back, in gpiozero's thread, when it was let go before the hold time."""
        self._short.append(callback)

    def on_long_press(self, callback: Callback) -> None:
        """Call back, in gpiozero's thread, once it has been held for the hold time."""
        self._long.append(callback)

    def close(self) -> None:
        """Free the pin; safe to call twice."""
        self._button.close()

    def _pressed(self) -> None:
        self._held = False

    def _hold_time_reached(self) -> None:
        self._held = True
        for callback in self._long:
            callback()

    def _released(self) -> None:
        if not self._held:
            for callback in self._short:
                callback()
