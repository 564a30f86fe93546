import pytest

from drivers.bench.serial_motor import FARTHEST_BEHIND_S, SerialMotor

STEPS_PER_UNIT = 80.0


class Way:
    """Where the counted pulses have brought something, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.steps = 0

    def now_s(self) -> float:
        return self.at_s

    def pulse(self, way: int, _: float, enabled: bool) -> None:
        self.steps += way if enabled else 0

    def beyond_ten(self, _: float) -> bool:
        return self.steps / STEPS_PER_UNIT <= -10


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def motor(way: Way) -> SerialMotor:
    return SerialMotor(way.now_s, STEPS_PER_UNIT, way.pulse)


@pytest.mark.parametrize("look_s", [0.001, 0.1, FARTHEST_BEHIND_S])
def test_a_switch_is_met_where_it_is_however_late_anybody_looks(way: Way, motor: SerialMotor, look_s: float) -> None:
    motor.seek(-1000, 20.0, way.beyond_ten)
    while not motor.found and way.at_s < 10:
        way.at_s += look_s
        motor.advance()
    assert not motor.moving
    assert way.steps == motor.steps == -10 * STEPS_PER_UNIT


def test_a_switch_that_is_met_already_turns_nothing(way: Way, motor: SerialMotor) -> None:
    way.steps = -1000
    motor.seek(-1000, 20.0, way.beyond_ten)
    assert motor.found
    assert not motor.moving


def test_a_later_move_passes_the_switch(way: Way, motor: SerialMotor) -> None:
    motor.seek(-1, 20.0, way.beyond_ten)
    way.at_s += 1
    motor.advance()
    assert not motor.found
    motor.go(-20, 20.0)
    way.at_s += 2
    motor.advance()
    assert motor.position == -20
