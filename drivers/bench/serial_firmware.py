"""What the simulated controllers share: motors, and a line that is heard and answered. Standard library only."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from drivers.bench.serial_motors import MotorBuild, SerialMotors


class SerialFirmware(ABC):
    """Bytes in by `receive`, bytes out by `advance`, which has to be called often."""

    def __init__(self, now_s: Callable[[], float], first: MotorBuild, *beside: MotorBuild) -> None:
        """It was just switched on, and stands at 0 without current."""
        self.motors = SerialMotors(now_s, (first, *beside))
        self.motor = self.motors.by_letter[first.letter]
        """The first one."""
        self._now_s = now_s
        self._buffer = bytearray()
        """Heard, and not yet understood."""
        self._out = ""
        """Said, and not yet sent."""

    @property
    def enabled(self) -> bool:
        """Whether the first motor has current."""
        return self.motor.enabled

    @property
    def moving(self) -> bool:
        """Whether anything turns."""
        return self.motors.moving

    @abstractmethod
    def power_on(self) -> None:
        """Start from nothing, as after the supply came back."""

    def opened(self) -> None:
        """Somebody opened the port: boards with a serial chip are reset by its DTR line."""
        self.power_on()

    def reset(self) -> None:
        """Be reset in the middle of whatever it does, as by its button."""
        self.power_on()

    @abstractmethod
    def alarm(self) -> None:
        """Have something that stops it."""

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Take what came on the line."""

    def advance(self) -> bytes:
        """Let time pass, and return what the controller sent meanwhile."""
        self.motors.advance()
        self._go_on()
        out, self._out = self._out, ""
        return out.encode("latin-1")

    @abstractmethod
    def _go_on(self) -> None:
        """Do what is due now that the motor stands where it does."""
