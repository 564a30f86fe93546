"""What the conversations with all serial controllers share: who wants it to stop, and which faults end it."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from drivers.hardware_fault import HardwareFault
from drivers.motion_profile import MotionLimits, move_time_s
from drivers.options_serial import SerialAxisOptions
from drivers.patience import Patience
from drivers.protocols import Clock, DriverError, LinkBroken, NeedsPerson
from drivers.serial_port import SerialPort

ANSWER_S = 4.0
"""A controller that writes its EEPROM, or whose planner is full, answers so late."""
BOOT_S = 4.0
"""An Arduino that the opened port has reset needs 1.5 s."""
OTHER_BAUD_S = 0.8
MOVE_SLACK = 1.5
"""A controller rounds its ramps to its own ticks, and may be set slower."""
MOVE_GRACE_S = 3.0


class WrongDevice(NeedsPerson):
    """Something else answers at the port."""

    kind = HardwareFault.LINK_BROKEN


class PositionLost(LinkBroken):
    """The link has carried on, and the controller has not: it was reset, or stands elsewhere than it was left."""


class Interrupted(DriverError):
    """Halted in the middle; the axis says why."""


@dataclass
class Wishes:
    """What other threads want of the one that talks."""

    stand_still: threading.Event = field(default_factory=threading.Event)
    """Slow down and end the move."""
    halted: threading.Event = field(default_factory=threading.Event)
    """Say no more: everything was stopped at once."""


@dataclass(frozen=True)
class AxisAtPort:
    """Whose conversation a link is, and through which port it talks."""

    options: SerialAxisOptions
    clock: Clock
    port: SerialPort
    wishes: Wishes


class SerialLink(ABC):
    """One conversation with one controller, from opening the port until the first fault. Called from one thread."""

    BAUDS: ClassVar[tuple[int, ...]]
    HALT: ClassVar[bytes]
    """Stops at once, whatever is being said."""

    def __init__(self, at: AxisAtPort, beside: "SerialLink | None" = None) -> None:
        """`beside` is the link of another axis of the same controller: they continue one conversation."""
        self.options = at.options
        self.clock = at.clock
        self.port = at.port
        self.wishes = at.wishes
        self.speed_units_s = at.options.speed_units_s
        self.acceleration_units_s2 = at.options.acceleration_units_s2

    @property
    @abstractmethod
    def resolution_units(self) -> float:
        """How exactly it knows where it is."""

    @property
    def homes(self) -> bool:
        """Whether it can look for its switch."""
        return self.options.homes

    @abstractmethod
    def hello(self, patience_s: float) -> bool:
        """Return whether the right controller answers at this baud rate. Raises LinkBroken, WrongDevice."""

    @abstractmethod
    def set_up(self) -> None:
        """Learn and set what moves depend on. Raises LinkBroken, NeedsPerson."""

    @abstractmethod
    def resync(self) -> None:
        """Make sense of each other again after bytes were lost; the position is kept. Raises LinkBroken."""

    @abstractmethod
    def standing(self) -> float:
        """Return where it stands, in units. Raises LinkBroken."""

    @abstractmethod
    def energise(self) -> None:
        """Be ready to move; a motor that can hold, holds."""

    @abstractmethod
    def move(self, from_units: float, to_units: float) -> float:
        """Return where it stands once it has arrived, or was asked to stand still. Raises LinkBroken, DriverError."""

    @abstractmethod
    def home(self) -> float:
        """Look for the switch; return where it stands then."""

    @abstractmethod
    def release(self) -> None:
        """Switch the holding current off."""

    @abstractmethod
    def after_halt(self) -> None:
        """Switch the current off, after `HALT` was sent."""

    def part(self) -> None:
        """The axis is not used any more; others of its controller may be."""
        self.wishes.stand_still.set()

    def greet(self) -> None:
        """Find the baud rate and learn what is there. Raises LinkBroken, WrongDevice, NeedsPerson."""
        bauds = (self.options.baud,) if self.options.baud else self.BAUDS
        for baud, patience_s in zip(bauds, (BOOT_S, *[OTHER_BAUD_S] * len(bauds)), strict=False):
            if self.port.baud != baud:
                self.port.set_baud(baud)
            if self.hello(patience_s):
                self.set_up()
                return
        tried = ", ".join(map(str, bauds))
        raise LinkBroken(f"{self.where}: nobody answers at {tried} baud; check its power, [{self.options.name}] baud")

    @property
    def where(self) -> str:
        """For messages: what, at which port."""
        return f"{self.options.name} at {self.port.path}"

    def move_s(self, way_units: float) -> float:
        """How long a move takes at the limits in force."""
        return move_time_s(way_units, MotionLimits(self.speed_units_s, self.acceleration_units_s2))

    def move_patience(self, way_units: float) -> Patience:
        """How long a move may take."""
        return Patience(self.clock, self.move_s(way_units) * MOVE_SLACK + MOVE_GRACE_S)

    def until(self, holds: Callable[[], bool], patience: Patience, what: str) -> None:
        """Return once it holds; it reads the port itself. Raises LinkBroken when patience has run out."""
        while not holds():
            if self.wishes.halted.is_set():
                raise Interrupted(f"{self.where}: halted")
            if patience.left_s <= 0:
                raise LinkBroken(f"{self.where}: no answer to {what} in time; check cable and power, then Resume")
