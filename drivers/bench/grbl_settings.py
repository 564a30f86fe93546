"""The `$` settings of a simulated GRBL: its own defaults, with what its build says of the axis that has a motor."""

from dataclasses import dataclass, field

from drivers.bench.grbl_block import AXES, Refused


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
    settings: dict[int, str] = field(default_factory=dict)
    """Others than these and GRBL's own defaults."""


class GrblSettings:
    """By number, as text: what was sent is what is told."""

    def __init__(self, build: GrblBuild) -> None:
        self.number = AXES.index(build.letter)
        """Of the axis that has a motor."""
        self.axes = max(build.axes, self.number + 1)
        self._values = _values(build, self.axes, self.number)

    def __getitem__(self, number: int) -> str:
        return self._values[number]

    def value(self, number: int) -> float:
        """Return a setting as a number."""
        return float(self._values[number])

    def flag(self, number: int) -> bool:
        """Whether it is switched on."""
        return self.value(number) != 0

    def of_axis(self, hundred: int) -> float:
        """Return the motor's own of the settings that each axis has: 100 steps, 110 speed, 120 ramp, 130 travel."""
        return self.value(hundred + self.number)

    @property
    def homing_way(self) -> float:
        """In which direction the switch is looked for."""
        return -1.0 if int(self.value(23)) >> self.number & 1 else 1.0

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


def _values(build: GrblBuild, axes: int, number: int) -> dict[int, str]:
    values = {0: "10", 1: "25", 2: "0", 3: "0", 4: "0", 5: "0", 6: "0", 10: "1", 11: "0.010", 12: "0.002", 13: "0"}
    values |= {20: str(int(build.soft_limits)), 21: "0", 22: str(int(build.homing)), 23: "0", 24: "25.000"}
    values |= {25: "500.000", 26: "250", 27: "1.000", 30: "1000", 31: "0", 32: "0"}
    for axis in range(axes):
        values |= {100 + axis: "250.000", 110 + axis: "500.000", 120 + axis: "10.000", 130 + axis: "200.000"}
    values |= {100 + number: f"{build.steps_per_unit:.3f}", 110 + number: f"{build.speed_min:.3f}"}
    values |= {120 + number: f"{build.acceleration:.3f}", 130 + number: f"{build.travel:.3f}"}
    return values | build.settings
