"""The `$` settings of a simulated GRBL: its own defaults, with what its build says of the axes that have motors."""

from dataclasses import dataclass, field

from drivers.bench.grbl_block import AXES, Refused
from drivers.bench.serial_motors import MotorBuild


@dataclass
class GrblBuild:
    """How the simulated controller is built and set."""

    letter: str = "X"
    steps_per_unit: float = 80.0
    speed_min: float = 500.0
    """Units per minute: $110."""
    acceleration: float = 10.0
    """Units per second squared: $120."""
    travel: float = 200.0
    homing: bool = False
    soft_limits: bool = False
    axes: int = 3
    beside: tuple[MotorBuild, ...] = ()
    """Motors of other axes; what is said above of speed, ramp and travel holds for them, too."""
    settings: dict[int, str] = field(default_factory=dict)
    """Others than these and GRBL's own defaults."""


class GrblSettings:
    """By number, as text: what was sent is what is told."""

    def __init__(self, build: GrblBuild) -> None:
        steps = {build.letter: build.steps_per_unit} | {motor.letter: motor.steps_per_unit for motor in build.beside}
        self.axes = max(build.axes, *(AXES.index(letter) + 1 for letter in steps))
        self._values = _values(build, self.axes, steps)

    def __getitem__(self, number: int) -> str:
        return self._values[number]

    def value(self, number: int) -> float:
        """Return a setting as a number."""
        return float(self._values[number])

    def flag(self, number: int) -> bool:
        """Whether it is switched on."""
        return self.value(number) != 0

    def of_axis(self, hundred: int, letter: str) -> float:
        """Return a motor's own of the settings that each axis has: 100 steps, 110 speed, 120 ramp, 130 travel."""
        return self.value(hundred + AXES.index(letter))

    def homing_way(self, letter: str) -> float:
        """In which direction its switch is looked for."""
        return -1.0 if int(self.value(23)) >> AXES.index(letter) & 1 else 1.0

    def take(self, number: int, value: str) -> None:
        """Set one. Raises Refused."""
        if number not in self._values:
            raise Refused(3)
        if number == 20 and float(value) and not self.flag(22):
            raise Refused(10)
        self._values[number] = value

    def listed(self) -> str:
        """Return the answer to `$$`."""
        return "".join(f"${number}={value}\r\n" for number, value in sorted(self._values.items()))


def _values(build: GrblBuild, axes: int, steps: dict[str, float]) -> dict[int, str]:
    values = {0: "10", 1: "25", 2: "0", 3: "0", 4: "0", 5: "0", 6: "0", 10: "1", 11: "0.010", 12: "0.002", 13: "0"}
    values |= {20: str(int(build.soft_limits)), 21: "0", 22: str(int(build.homing)), 23: "0", 24: "25.000"}
    values |= {25: "500.000", 26: "250", 27: "1.000", 30: "1000", 31: "0", 32: "0"}
    for axis in range(axes):
        values |= {100 + axis: "250.000", 110 + axis: "500.000", 120 + axis: "10.000", 130 + axis: "200.000"}
    for letter, steps_per_unit in steps.items():
        number = AXES.index(letter)
        values |= {100 + number: f"{steps_per_unit:.3f}", 110 + number: f"{build.speed_min:.3f}"}
        values |= {120 + number: f"{build.acceleration:.3f}", 130 + number: f"{build.travel:.3f}"}
    return values | build.settings
