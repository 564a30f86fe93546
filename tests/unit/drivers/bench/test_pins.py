from collections.abc import Iterator

import pytest
from gpiozero import Device, DigitalOutputDevice, PinSetInput

from drivers.bench.bench_clock import BenchClock
from drivers.bench.pins import BenchPinFactory, BenchWiring, MotorDriverBoard, wire_up
from drivers.bench.world import World


@pytest.fixture
def wired() -> Iterator[tuple[World, BenchPinFactory, MotorDriverBoard]]:
    world = World(BenchClock(speed=100))
    factory, board, _ = wire_up(world, BenchWiring())
    previous, Device.pin_factory = Device.pin_factory, factory
    yield world, factory, board
    factory.close()
    Device.pin_factory = previous


def pulse(line: DigitalOutputDevice, times: int) -> None:
    for _ in range(times):
        line.on()
        line.off()


def test_only_rising_edges_while_enabled_turn_the_motor(
    wired: tuple[World, BenchPinFactory, MotorDriverBoard],
) -> None:
    world, _, board = wired
    step, direction = DigitalOutputDevice(17), DigitalOutputDevice(27)
    direction.on()
    pulse(step, 3)
    assert (world.pulses, world.platter.motor_steps, board.enabled) == (3, 0, False)
    enable = DigitalOutputDevice(5, active_high=False, initial_value=True)
    assert board.enabled
    pulse(step, 10)
    step.off()
    direction.off()
    pulse(step, 4)
    assert (world.pulses, world.platter.motor_steps) == (17, 6)
    enable.close()
    assert not board.enabled, "the board's own pull-up disables it once the pin is let go"


def test_pins_keep_no_history(wired: tuple[World, BenchPinFactory, MotorDriverBoard]) -> None:
    _, factory, _ = wired
    pulse(DigitalOutputDevice(17), 1000)
    assert len(factory.pin(17).states) <= 1


def test_an_input_cannot_be_driven_by_software(wired: tuple[World, BenchPinFactory, MotorDriverBoard]) -> None:
    _, factory, _ = wired
    pin = factory.pin(17)
    with pytest.raises(PinSetInput):
        pin.state = True
