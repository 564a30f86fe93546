"""The answer to `?`: state, place, speed, and what is told only now and then. Standard library only."""

from drivers.bench.grbl_settings import GrblSettings
from drivers.bench.serial_motor import SerialMotor

BLOCKS = 15
RX_BYTES = 128
OFFSET_EVERY = 30
OFFSET_EVERY_MOVING = 10


class StatusReports:
    """The offset of the work's zero is told in the first report, and then in every so many."""

    def __init__(self, settings: GrblSettings, letter: str, motor: SerialMotor) -> None:
        self._settings = settings
        self._letter = letter
        self._motor = motor
        self._until_offset = 0

    def tell_offset_next(self) -> None:
        """It has changed."""
        self._until_offset = 0

    def report(self, state: str, offset: float, *, waiting_bytes: int, at_switch: bool) -> str:
        """Return the line; `offset` of the work's zero, in units of the machine."""
        mask = int(self._settings[10])
        place = self._motor.position
        shown = "MPos:" + self._all_axes(place) if mask & 1 else "WPos:" + self._all_axes(place - offset)
        fields = [state, shown]
        if mask & 2:
            fields.append(f"Bf:{BLOCKS - self._motor.queued},{RX_BYTES - waiting_bytes}")
        fields.append(f"FS:{abs(self._motor.speed) * 60:.0f},0")
        if at_switch:
            fields.append(f"Pn:{self._letter}")
        if self._until_offset == 0:
            fields.append("WCO:" + self._all_axes(offset))
            self._until_offset = OFFSET_EVERY_MOVING if self._motor.moving else OFFSET_EVERY
        self._until_offset -= 1
        return f"<{'|'.join(fields)}>\r\n"

    def _all_axes(self, value: float) -> str:
        """Only one of them has a motor; the others stand at 0."""
        values = [0.0] * self._settings.axes
        values[self._settings.number] = value
        return ",".join(f"{value:.3f}" for value in values)
