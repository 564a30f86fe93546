"""The answer to `?`: state, place, speed, and what is told only now and then. Standard library only."""

from drivers.bench.grbl_block import AXES
from drivers.bench.grbl_settings import GrblSettings
from drivers.bench.serial_motors import SerialMotors

BLOCKS = 15
RX_BYTES = 128
OFFSET_EVERY = 30
OFFSET_EVERY_MOVING = 10


class StatusReports:
    """The offset of the work's zero is told in the first report, and then in every so many."""

    def __init__(self, settings: GrblSettings, motors: SerialMotors) -> None:
        self._settings = settings
        self._motors = motors
        self._until_offset = 0

    def tell_offset_next(self) -> None:
        """It has changed."""
        self._until_offset = 0

    def report(self, state: str, offsets: dict[str, float], *, waiting_bytes: int, met: str) -> str:
        """Return the line; `offsets` of the work's zeros, in units of the machine, `met` the letters on a switch."""
        mask = int(self._settings[10])
        places = {letter: motor.position for letter, motor in self._motors.by_letter.items()}
        work = {letter: place - offsets[letter] for letter, place in places.items()}
        fields = [state, "MPos:" + self._all_axes(places) if mask & 1 else "WPos:" + self._all_axes(work)]
        if mask & 2:
            fields.append(f"Bf:{BLOCKS - self._motors.queued},{RX_BYTES - waiting_bytes}")
        fields.append(f"FS:{self._motors.speed * 60:.0f},0")
        if met:
            fields.append(f"Pn:{met}")
        if self._until_offset == 0:
            fields.append("WCO:" + self._all_axes(offsets))
            self._until_offset = OFFSET_EVERY_MOVING if self._motors.moving else OFFSET_EVERY
        self._until_offset -= 1
        return f"<{'|'.join(fields)}>\r\n"

    def _all_axes(self, values: dict[str, float]) -> str:
        """Those without a motor stand at 0."""
        return ",".join(f"{values.get(letter, 0.0):.3f}" for letter in AXES[: self._settings.axes])
