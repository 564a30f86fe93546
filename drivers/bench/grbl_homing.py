"""GRBL's homing cycle, as `$22` to `$27` set it: towards the switch, then off it again. Standard library only."""

from enum import Enum, auto

from drivers.bench.grbl_settings import GrblSettings
from drivers.bench.serial_motors import SerialMotors

SEARCHED_TRAVELS = 1.5


class HomingStep(Enum):
    """What a look at the cycle found."""

    UNDER_WAY = auto()
    DONE = auto()
    NO_SWITCH = auto()


class GrblHoming:
    """One axis's part of it; the motor is on its way from now on."""

    def __init__(self, settings: GrblSettings, motors: SerialMotors, letter: str) -> None:
        self._settings = settings
        self._letter = letter
        self._motor = motor = motors.by_letter[letter]
        self._way = settings.homing_way(letter)
        self._pulling_off = False
        motors.energise(True)
        motor.place(0.0)
        motor.acceleration = settings.of_axis(120, letter)
        farthest = self._way * SEARCHED_TRAVELS * settings.of_axis(130, letter)
        motor.seek(farthest, settings.value(25) / 60, motors.at_switch[letter])

    def go_on(self) -> HomingStep:
        """Do what is due; the motor's place is the machine's once it is done."""
        if not self._pulling_off:
            return self._search()
        if self._motor.moving:
            return HomingStep.UNDER_WAY
        pull_off = self._settings.value(27)
        self._motor.place(-pull_off if self._way > 0 else pull_off - self._settings.of_axis(130, self._letter))
        return HomingStep.DONE

    def _search(self) -> HomingStep:
        if self._motor.found:
            off = self._motor.position - self._way * self._settings.value(27)
            self._motor.go(off, self._settings.value(24) / 60)
            self._pulling_off = True
        elif not self._motor.moving:
            return HomingStep.NO_SWITCH
        return HomingStep.UNDER_WAY
