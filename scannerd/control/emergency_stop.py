"""The emergency stop: motors are off before anybody else hears of it; then the daemon does."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from drivers.protocols import Axis, EmergencyStop
from scannerd.events import EmergencyStopChanged, Event, Warned
from scannerd.fault_kind import FaultKind

LOG = logging.getLogger(__name__)


class EmergencyStopControl:
    """Must be made, and told which stop to use, in the event loop's thread."""

    def __init__(self, motors: Callable[[], Sequence[Axis]], publish: Callable[[Event], None]) -> None:
        """`motors` is asked in the driver's thread, too, and must not wait."""
        self._motors = motors
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._contact: EmergencyStop | None = None
        self._told: bool | None = None
        self.pushes = 0
        """How often it was pushed, bounces included."""

    @property
    def pushed(self) -> bool:
        """Whether it is pushed now."""
        return self._contact is not None and self._contact.pushed

    def use(self, contact: EmergencyStop | None) -> None:
        """Listen to this one from now on, as it stands; to none before it is closed."""
        if self._contact is not None:
            self._contact.on_change(None)
        self._contact = contact
        if contact is None:
            self._told = None
            return
        contact.on_change(self._hear)
        if contact.pushed:
            self._hear(True)
        self._tell()

    def _hear(self, pushed: bool) -> None:
        """In the driver's thread: nothing stands between the contact and the motors."""
        if pushed:
            self.pushes += 1
            self._stop_motors()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heard, pushed)

    def _heard(self, pushed: bool) -> None:
        """In the event loop. A move that was decided on just before the push, and begun just after, ends here."""
        if pushed and self._contact is not None:
            self._stop_motors()
        self._tell()

    def _stop_motors(self) -> None:
        for motor in self._motors():
            try:
                motor.emergency_stop()
            except Exception:  # whatever is wrong with one motor, the other has to stop
                LOG.exception("a motor could not be stopped at once")

    def _tell(self) -> None:
        if self._contact is None or self._told is self._contact.pushed:
            return
        self._told = self._contact.pushed
        self._publish(EmergencyStopChanged(self._told))
        if self._told:
            message = "the emergency stop was pushed, or its wire is broken: the motors are off"
            LOG.error("%s", message)
            self._publish(Warned(message, fault_kind=FaultKind.EMERGENCY_STOP))
        else:
            LOG.info("the emergency stop was released")
