"""An emergency stop's contact on a GPIO pin: every change of it, told at once."""

from collections.abc import Callable

from gpiozero import DigitalInputDevice

from drivers.options import EmergencyStopGpioOptions
from drivers.pin_faults import claiming_pin

Listener = Callable[[bool], None]


class GpioEmergencyStop:
    """`EmergencyStop` over gpiozero. Nothing is debounced: the shortest opening counts."""

    def __init__(self, options: EmergencyStopGpioOptions) -> None:
        """Claim the pin. Raises DriverError when it cannot be had."""
        with claiming_pin("emergency stop", "emergency_stop"):
            self._pin = DigitalInputDevice(options.pin, pull_up=True)
        self._closed_is_pushed = options.pushed_is_low
        self._listener: Listener | None = None
        self._pin.when_activated = lambda: self._tell(closed=True)
        self._pin.when_deactivated = lambda: self._tell(closed=False)

    @property
    def pushed(self) -> bool:
        """Whether it is pushed at this moment, or its wire is broken."""
        return bool(self._pin.is_active) is self._closed_is_pushed

    def on_change(self, listener: Listener | None) -> None:
        """Tell `listener`, in gpiozero's thread, that it was pushed (True) or released."""
        self._listener = listener

    def close(self) -> None:
        """Free the pin; safe to call twice."""
        self._listener = None
        self._pin.close()

    def _tell(self, *, closed: bool) -> None:
        listener = self._listener
        if listener is not None:
            listener(closed is self._closed_is_pushed)
