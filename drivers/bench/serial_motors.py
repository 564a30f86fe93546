"""The motors of one simulated controller, by the letters of its axes. Standard library only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drivers.bench.serial_motor import AtSwitch, Pulse, SerialMotor, no_switch


@dataclass(frozen=True)
class MotorBuild:
    """One motor of a controller."""

    letter: str
    steps_per_unit: float
    pulse: Pulse
    at_switch: AtSwitch = no_switch


class SerialMotors:
    """Each line moves one of them: moves that join axes are not simulated, and blocks come one after the other."""

    def __init__(self, now_s: Callable[[], float], builds: Sequence[MotorBuild]) -> None:
        """Stand at 0 without current."""
        self.by_letter = {build.letter: SerialMotor(now_s, build.steps_per_unit, build.pulse) for build in builds}
        self.at_switch = {build.letter: build.at_switch for build in builds}

    def __iter__(self) -> Iterator[SerialMotor]:
        return iter(self.by_letter.values())

    @property
    def moving(self) -> bool:
        """Whether any has anything left to do."""
        return any(motor.moving for motor in self)

    @property
    def queued(self) -> int:
        """Blocks not yet done."""
        return sum(motor.queued for motor in self)

    @property
    def speed(self) -> float:
        """Of the one that moves, in units a second."""
        return max(abs(motor.speed) for motor in self)

    def letter_in(self, values: dict[str, float]) -> str | None:
        """Return which motor a line speaks of; None: none that is there."""
        return next((letter for letter in self.by_letter if letter in values), None)

    def busy_beside(self, letter: str) -> bool:
        """Whether another one moves."""
        return any(motor.moving for other, motor in self.by_letter.items() if other != letter)

    def energise(self, on: bool) -> None:
        """Give all of them current, or none."""
        for motor in self:
            motor.enabled = on

    def hold(self) -> None:
        """Slow down and rest, keeping what is queued."""
        for motor in self:
            motor.hold()

    def resume(self) -> None:
        """Go on."""
        for motor in self:
            motor.resume()

    def drop(self) -> None:
        """Forget what is queued and stand still at once."""
        for motor in self:
            motor.drop()

    def let_go(self) -> None:
        """Stand still at once, without current."""
        for motor in self:
            motor.let_go()

    def power_on(self) -> None:
        """Stand at 0 without current, whatever was before."""
        for motor in self:
            motor.let_go()
            motor.place(0.0)

    def advance(self) -> None:
        """Make the steps that are due by now."""
        for motor in self:
            motor.advance()
