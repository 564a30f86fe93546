"""The far end of the GPIO wires: a motor driver board that hears every edge, and a finger on the button."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpiozero import PinSetInput
from gpiozero.pins.mock import MockFactory, MockPWMPin

from drivers.bench.world import World

Listener = Callable[[float], None]
Motor = Callable[[float, bool], None]
"""Hears each step: +1 or -1, or how much of a sixteenth step it is, and whether the board has current for it."""

SIXTEENTHS = {(0, 0, 0): 16.0, (1, 0, 0): 8.0, (0, 1, 0): 4.0, (1, 1, 0): 2.0, (1, 1, 1): 1.0}
"""Levels of an A4988's MS pins → sixteenth steps for each pulse."""


@dataclass(frozen=True)
class Wire:
    """What hangs at the far end of a pin."""

    hear: Listener
    """Told of every level that the pin sets: 0, 1, or a duty cycle between."""
    floats_at: float = 0.0
    """What its own pull makes of the wire when the pin lets go."""
    grounded: Callable[[], bool] | None = None
    """Whether a contact at the far end is closed at this moment; None: there is none."""


@dataclass(frozen=True)
class LiftWiring:
    """The second motor's wires, in Broadcom numbers."""

    step_pin: int = 20
    dir_pin: int = 21
    enable_pin: int = 6
    dir_high_raises: int = 1
    """+1: DIR high raises the camera; -1 when a motor coil is connected the other way round."""
    switch_pin: int | None = None
    """The switch near the arm's lower end, to ground; None: there is none."""


@dataclass(frozen=True)
class RingWiring:
    """WS2812 diodes at the data line of an SPI bus."""

    device: str = "/dev/spidev0.0"
    count: int = 24


@dataclass(frozen=True)
class BenchWiring:
    """Which wire goes where, in Broadcom numbers, and how the motor is wired: the truth, whatever a config says."""

    step_pin: int = 17
    dir_pin: int = 27
    enable_pin: int = 5
    button_pin: int = 23
    led_pin: int | None = 24
    """The lamp in the button; None: there is none."""
    light_pin: int | None = None
    """The light on the object; None: there is none, and the bench's own light stays on."""
    ring: RingWiring | None = None
    """A ring of diodes in its place, at an SPI bus."""
    dir_high_turns: int = 1
    """+1: DIR high turns the platter counter-clockwise; -1 when a motor coil is connected the other way round."""
    index_pin: int | None = None
    """The optical sensor that sees a flag under the platter, low while it does; None: there is none."""
    microstep_pins: tuple[int, ...] = ()
    """MS1 to MS3 of the platter's driver board; empty: strapped to 16 microsteps."""
    buzzer_pin: int | None = None
    """None: there is none."""
    emergency_stop_pin: int | None = None
    """The emergency stop's normally closed contact to ground; None: there is none."""
    lift: LiftWiring | None = None
    """The motor that raises the camera; None: the camera stands on a tripod."""


class BenchPin(MockPWMPin):  # type: ignore[misc]
    """A mock pin that tells what hangs on its wire about every level and duty cycle, and keeps no history of its own.

    gpiozero's mock remembers every transition for ever, which a day of STEP pulses does not forgive.
    """

    def __init__(self, factory: Any, info: Any) -> None:
        """Look up who listens on this wire."""
        super().__init__(factory, info)
        self._grounded = False
        self._wire: Wire | None = factory.wires.get(info.name)

    def ground(self) -> None:
        """Close a contact between this wire and ground: whoever claims the pin finds it low."""
        self._grounded = True
        self.drive_low()

    def let_go(self) -> None:
        """Open the contact: the pull decides again."""
        self._grounded = False
        self._set_pull(self._get_pull())

    def sense(self) -> None:
        """Look whether the contact at the far end is closed."""
        if self._wire is None or self._wire.grounded is None or self._function != "input":
            return
        closed = self._wire.grounded()
        if closed and not self._grounded:
            self.ground()
        elif self._grounded and not closed:
            self.let_go()

    def _get_state(self) -> Any:
        self.sense()
        return super()._get_state()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self._grounded:
            self.drive_low()

    def _set_function(self, value: str) -> None:
        lets_go = self._function == "output" and value == "input"
        super()._set_function(value)
        if lets_go and self._wire is not None:
            self._wire.hear(self._wire.floats_at)

    def _set_state(self, value: float) -> None:
        if self._function == "input":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        level = bool(value) if self._frequency is None else float(value)
        self._change_state(level)
        if self._wire is not None:
            self._wire.hear(level)

    def _change_state(self, value: float) -> bool:
        if value == self._state:
            return False
        self._state: float = value
        self._last_change = time.monotonic()
        return True


class BenchPinFactory(MockFactory):  # type: ignore[misc]
    """gpiozero's pins, wired to the bench."""

    def __init__(self, wires: dict[str, Wire]) -> None:
        """Connect `wires`, by pin name such as GPIO17."""
        self.wires = wires
        self._listener: Callable[[int], None] | None = None
        super().__init__(pin_class=BenchPin)

    def listen(self, listener: Callable[[int], None] | None) -> None:
        """Tell somebody else, too, which contact may have changed, by its Broadcom number."""
        self._listener = listener

    def add_contact(self, name: str, closed: Callable[[], bool], after: str) -> None:
        """Let `closed` decide whether wire `name` is grounded, and look each time the wire `after` has changed."""
        self.wires[name] = Wire(lambda _: None, grounded=closed)
        moving = self.wires[after]

        def hear(level: float) -> None:
            moving.hear(level)
            self.sense(name)

        self.wires[after] = Wire(hear, moving.floats_at)

    def sense(self, name: str) -> None:
        """Look what hangs on this wire, where somebody uses it."""
        for pin in list(self.pins.values()):
            if pin.info.name == name:
                pin.sense()
        if self._listener is not None:
            self._listener(int(name.removeprefix("GPIO")))


class MotorDriverBoard:
    """A4988 and its like: a rising edge on STEP turns the motor by a microstep, if ENABLE is low, as DIR says."""

    def __init__(self, motor: Motor, dir_high_turns: int, strapped: bool = True) -> None:
        """A board that software has not touched yet: disabled by its own pull-up, its MS pins pulled to ground.

        `strapped`: the MS pins are tied to 16 microsteps instead.
        """
        self._microstep_levels = [1, 1, 1] if strapped else [0, 0, 0]
        self._motor = motor
        self._dir_high_turns = dir_high_turns
        self._enable_level = True
        self._dir_level = False
        self._step_level = False

    @property
    def enabled(self) -> bool:
        """Whether the motor is energised."""
        return not self._enable_level

    def hear_enable(self, level: float) -> None:
        """ENABLE, active low."""
        self._enable_level = level > 0

    def hear_dir(self, level: float) -> None:
        """DIR."""
        self._dir_level = level > 0

    def hear_step(self, level: float) -> None:
        """STEP: only the rising edge counts."""
        rising = level > 0 and not self._step_level
        self._step_level = level > 0
        if not rising:
            return
        first, second, third = self._microstep_levels
        sixteenths = SIXTEENTHS.get((first, second, third), 1.0)
        self._motor(sixteenths * (self._dir_high_turns if self._dir_level else -self._dir_high_turns), self.enabled)

    def hear_microsteps(self, number: int) -> Listener:
        """Return who hears MS1 (0), MS2 (1) or MS3 (2)."""

        def hear(level: float) -> None:
            self._microstep_levels[number] = int(level > 0)

        return hear


class SimulatedFinger:
    """A finger on the button between its pin and ground.

    It lives in the system's time, not the bench's, because gpiozero measures there how long a button is held.
    """

    def __init__(self, factory: BenchPinFactory, pin: int) -> None:
        """Hover over the button on this pin."""
        self._factory = factory
        self._pin = pin
        self._down = False

    @property
    def is_down(self) -> bool:
        """Whether the button is being pushed."""
        return self._down

    def down(self) -> None:
        """Push the button and leave the finger there; a button that sticks is no different."""
        self._down = True
        self._factory.pin(self._pin).ground()

    def up(self) -> None:
        """Let go."""
        self._down = False
        self._factory.pin(self._pin).let_go()

    def press(self, duration_s: float = 0.1) -> None:
        """Push the button, keep it down and let go; blocks this thread meanwhile."""
        self.down()
        try:
            time.sleep(duration_s)
        finally:
            self.up()


class SimulatedEmergencyStop:
    """A mushroom that opens its contact when it is pushed, and keeps it open until it is released."""

    def __init__(self, world: World, factory: BenchPinFactory, pin: int | None) -> None:
        """Released; `pin` None: it is not there."""
        self._world = world
        self._factory = factory
        self._pin = pin

    @property
    def fitted(self) -> bool:
        """Whether there is one."""
        return self._pin is not None

    def push(self) -> None:
        """Push it, or cut its wire."""
        self._open(True)

    def release(self) -> None:
        """Turn it until it springs back."""
        self._open(False)

    def _open(self, is_open: bool) -> None:
        self._world.emergency_stop_pushed = is_open
        if self._pin is not None:
            self._factory.sense(f"GPIO{self._pin}")


def wire_up(world: World, wiring: BenchWiring) -> tuple[BenchPinFactory, MotorDriverBoard, MotorDriverBoard | None]:
    """Return the pins with everything at their far end, the table's board and the lift's, where there is one."""
    board = MotorDriverBoard(world.pulse_table, wiring.dir_high_turns, strapped=not wiring.microstep_pins)
    wires = _wires_of(board, wiring)
    for number, pin in enumerate(wiring.microstep_pins):
        wires[pin] = Wire(board.hear_microsteps(number))
    lift_board = None
    if wiring.lift is not None:
        lift_board = MotorDriverBoard(world.pulse_lift, wiring.lift.dir_high_raises)
        wires |= _wires_of(lift_board, wiring.lift)
    if wiring.led_pin is not None:
        wires[wiring.led_pin] = Wire(world.lamp.hear)
    if wiring.buzzer_pin is not None:
        wires[wiring.buzzer_pin] = Wire(world.buzzer.hear)
    if wiring.light_pin is not None:
        wires[wiring.light_pin] = Wire(world.light.hear)
    return _with_contacts(world, wiring, wires), board, lift_board


def _with_contacts(world: World, wiring: BenchWiring, wires: dict[int, Wire]) -> BenchPinFactory:
    """Add the sensors, which are looked at after each step and whenever somebody reads them."""
    contacts = [(wiring.index_pin, wiring.step_pin, world.at_index)]
    if wiring.lift is not None:
        contacts.append((wiring.lift.switch_pin, wiring.lift.step_pin, world.at_switch))
    factory = BenchPinFactory({f"GPIO{pin}": wire for pin, wire in wires.items()})
    if wiring.emergency_stop_pin is not None:
        name = f"GPIO{wiring.emergency_stop_pin}"
        factory.wires[name] = Wire(lambda _: None, grounded=lambda: not world.emergency_stop_pushed)
    for pin, step_pin, closed in contacts:
        if pin is not None:
            factory.add_contact(f"GPIO{pin}", closed, f"GPIO{step_pin}")
    return factory


def _wires_of(board: MotorDriverBoard, wiring: BenchWiring | LiftWiring) -> dict[int, Wire]:
    return {
        wiring.step_pin: Wire(board.hear_step),
        wiring.dir_pin: Wire(board.hear_dir),
        wiring.enable_pin: Wire(board.hear_enable, floats_at=1.0),
    }
