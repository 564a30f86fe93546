"""A push button on a GPIO pin: every edge of its contact, told with its time."""

import time
from collections.abc import Callable

from gpiozero import DigitalInputDevice

from drivers.options import ButtonGpioOptions
from drivers.pin_faults import claiming_pin

Listener = Callable[[bool, float], None]


class GpioButton:
    """`Button` over gpiozero. What is a press and what a bounce is decided elsewhere."""

    def __init__(self, options: ButtonGpioOptions, now_s: Callable[[], float] = time.monotonic) -> None:
        """Claim the pin. Raises DriverError when it cannot be had."""
        with claiming_pin("button"):
            self._pin = DigitalInputDevice(options.pin, pull_up=True)
        self._now_s = now_s
        self._listener: Listener | None = None
        self._pin.when_activated = self._closed
        self._pin.when_deactivated = self._opened

    @property
    def closed_contact(self) -> bool:
        """Whether the contact is closed at this moment."""
        return bool(self._pin.is_active)

    def on_edge(self, listener: Listener | None) -> None:
        """Tell `listener`, in gpiozero's thread, how an edge left the contact, and when that was."""
        self._listener = listener

    def close(self) -> None:
        """Free the pin; safe to call twice."""
        self._pin.close()

    def _closed(self, device: DigitalInputDevice) -> None:
        # The device knows the edge's own time; this thread may be late.
        self._tell(True, device.active_time)

    def _opened(self, device: DigitalInputDevice) -> None:
        self._tell(False, device.inactive_time)

    def _tell(self, closed: bool, age_s: float | None) -> None:
        listener = self._listener
        if listener is not None:
            listener(closed, self._now_s() - (age_s or 0.0))
