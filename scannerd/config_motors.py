"""The motors' tables of config.toml: what turns the platter, and what raises the camera."""

from dataclasses import replace
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator

from drivers.options import IndexOptions, StepperGpioOptions
from drivers.options_serial import Phrase, SerialAxisOptions, TablePhrases
from scannerd.config_section import Section, fixed, key

MicrostepPins = Annotated[tuple[Annotated[int, Ge(0), Le(27)], ...], BeforeValidator(fixed)]
Index = Literal["none", "active_low", "active_high"]
Pulses = Literal["auto", "lgpio", "pigpio", "thread"]
Letter = Literal["X", "Y", "Z", "A", "B", "C"]
BETWEEN = " => "
"""Stands between a table's command and its reply."""
PHRASE = r"^$|^.+ => .+$"


class TurntableSection(Section):
    """The stepper motor under the platter. Pins are BCM numbers."""

    driver: Literal["stepper_gpio", "grbl", "marlin", "serial_table"] = key("stepper_gpio", "what moves the table")
    step_pin: int = key(17, "a rising edge is one microstep", ge=0, le=27)
    direction_pin: int = key(27, "high turns counter-clockwise, seen from above", ge=0, le=27)
    enable_pin: int = key(5, "low holds the motor, high lets it go", ge=0, le=27)
    full_steps_per_turn: int = key(200, "of the motor, 200 for 1.8° motors", ge=20, le=1000)
    microsteps: Literal[1, 2, 4, 8, 16, 32] = key(16, "as set on the motor driver's jumpers")
    gear_ratio: float = key(3.0, "motor turns for one turn of the platter", ge=0.1, le=200)
    microstep_pins: MicrostepPins = key((), "MS1, MS2, MS3 where they are wired; empty: set by jumpers", max_length=3)
    board: Literal["a4988", "drv8825", "tmc2209"] = key("a4988", "the motor driver, where its MS pins are wired")
    max_speed_deg_s: float = key(60.0, "fastest turning of the platter", ge=0.1, le=720)
    acceleration_deg_s2: float = key(180.0, "of the platter, up and down", ge=0.1, le=7200)
    smoothing_s: float = key(0.0, "an S-curve: a move takes so much longer and shakes the object less", ge=0, le=2)
    backlash_deg: float = key(0.0, "play of belt or gear; each place is then reached from one side", ge=0, le=10)
    invert: bool = key(False, "true when the table turns the wrong way")
    index: Index = key("none", "a sensor that marks one place of the platter, and its level there")
    index_pin: int = key(26, "of that sensor", ge=0, le=27)
    pulses: Pulses = key("auto", "who times the pulses (docs/motion.md)")
    idle_release_s: float = key(30.0, "a paused scan's motor is switched off after so long", ge=0, le=3600)
    port: str = key("/dev/scanner-turntable", "of a serial controller, as udev names it", min_length=1)
    baud: int = key(0, "of that port, such as 115200; 0: found by who answers", ge=0, le=4_000_000)
    axis: Letter = key("X", "which of the controller's axes turns the platter")
    units_per_turn: float = key(360.0, "of the controller, for one turn of the platter", gt=0, le=1_000_000)
    homes: bool = key(False, "true when Marlin has a switch to home to; GRBL knows by itself ($22)")
    move_command: str = key(
        "MA {angle_deg:.2f} => OK", "of a serial_table: order => reply (docs/motion.md)", pattern=PHRASE
    )
    move_by_command: str = key("", "by so much instead, with {by_deg}", pattern=PHRASE)
    query_command: str = key("", "where it is, with a group angle_deg in the reply", pattern=PHRASE)
    stop_command: str = key("", "stand still", pattern=PHRASE)
    home_command: str = key("", "look for its own 0", pattern=PHRASE)
    off_command: str = key("", "motor off", pattern=PHRASE)
    on_command: str = key("", "motor on", pattern=PHRASE)
    error_reply: str = key("(?i)err.*", "what it says instead when it refuses", min_length=1)

    def axis_options(self) -> StepperGpioOptions | SerialAxisOptions:
        """Return them as the driver takes them."""
        return self._gpio_options() if self.driver == "stepper_gpio" else self._serial_options()

    def _serial_options(self) -> SerialAxisOptions:
        return replace(
            _serial_options(self),
            phrases=TablePhrases(
                # Where it knows places and ways, places are surer.
                move=_phrase(self.move_command) if not self.move_by_command else None,
                move_by=_phrase(self.move_by_command),
                query=_phrase(self.query_command),
                stop=_phrase(self.stop_command),
                home=_phrase(self.home_command),
                off=_phrase(self.off_command),
                on=_phrase(self.on_command),
                error_reply=self.error_reply,
            ),
        )

    def _gpio_options(self) -> StepperGpioOptions:
        return replace(
            _gpio_options(self),
            full_steps_per_turn=self.full_steps_per_turn,
            microsteps=self.microsteps,
            gear_ratio=self.gear_ratio,
            microstep_pins=self.microstep_pins,
            board=self.board,
            index=_index(self.index, self.index_pin),
        )

    @property
    def described(self) -> str:
        """Say what turns the platter in a few words."""
        if self.driver == "stepper_gpio":
            return f"{self.steps_per_turn:.0f} steps a turn ({self.driver})"
        return f"{self.units_per_turn:g} units a turn of axis {self.axis} ({self.driver})"

    @property
    def steps_per_turn(self) -> float:
        """Microsteps for one turn of the platter."""
        return self.full_steps_per_turn * self.microsteps * self.gear_ratio


class LiftSection(Section):
    """The motor that raises the camera between rings, by a self-locking gear. Pins are BCM numbers."""

    driver: Literal["stepper_gpio", "grbl", "marlin", "none"] = key("none", "none: a person moves the camera")
    step_pin: int = key(20, "a rising edge is one microstep", ge=0, le=27)
    direction_pin: int = key(21, "high raises the camera", ge=0, le=27)
    enable_pin: int = key(6, "low holds the motor, high lets it go", ge=0, le=27)
    step_deg: float = key(0.01125, "how far one microstep raises the camera", ge=0.0001, le=2)
    lowest_deg: float = key(10.0, "soft limit: the camera's elevation above the platter", ge=-10, le=90)
    highest_deg: float = key(70.0, "soft limit", ge=-10, le=90)
    home_deg: float = key(10.0, "elevation at the mark where a person puts the camera when asked to", ge=-10, le=90)
    max_speed_deg_s: float = key(10.0, "fastest rising of the camera", ge=0.1, le=90)
    acceleration_deg_s2: float = key(20.0, "of the camera, up and down", ge=0.1, le=720)
    smoothing_s: float = key(0.0, "an S-curve: a move takes so much longer and shakes the camera less", ge=0, le=2)
    backlash_deg: float = key(0.0, "play of the gear; each place is then reached from below", ge=0, le=10)
    invert: bool = key(False, "true when the camera goes the wrong way")
    switch: Index = key("none", "a switch that the arm closes at home_deg and below, and its level there")
    switch_pin: int = key(16, "of that switch", ge=0, le=27)
    pulses: Pulses = key("auto", "who times the pulses (docs/motion.md)")
    port: str = key(
        "/dev/scanner-lift", "of its serial controller; the turntable's where one moves both", min_length=1
    )
    baud: int = key(0, "of that port, such as 115200; 0: found by who answers", ge=0, le=4_000_000)
    axis: Letter = key("X", "which of the controller's axes raises the camera")
    units_per_turn: float = key(360.0, "of the controller, for 360° of the camera", gt=0, le=1_000_000)
    homes: bool = key(False, "true when it has a switch to home to; a GRBL of its own knows by itself ($22)")

    def axis_options(self) -> StepperGpioOptions | SerialAxisOptions:
        """Return them as the driver takes them."""
        return self._gpio_options() if self.driver in ("stepper_gpio", "none") else self._serial_options()

    def _serial_options(self) -> SerialAxisOptions:
        return replace(
            _serial_options(self),
            name="lift",
            home_deg=self.home_deg,
            soft_limits_deg=(self.lowest_deg, self.highest_deg),
        )

    def _gpio_options(self) -> StepperGpioOptions:
        return replace(
            _gpio_options(self),
            name="lift",
            # Only their product counts: how many steps a whole turn of the arm would take.
            full_steps_per_turn=1,
            microsteps=1,
            gear_ratio=360 / self.step_deg,
            index=_switch(self),
            soft_limits_deg=(self.lowest_deg, self.highest_deg),
        )


def _serial_options(motor: TurntableSection | LiftSection) -> SerialAxisOptions:
    """What both motors' controllers are told alike."""
    return SerialAxisOptions(
        port=motor.port,
        baud=motor.baud,
        letter=motor.axis,
        units_per_turn=motor.units_per_turn,
        max_speed_deg_s=motor.max_speed_deg_s,
        acceleration_deg_s2=motor.acceleration_deg_s2,
        backlash_deg=motor.backlash_deg,
        reversed=motor.invert,
        homes=motor.homes,
    )


def _gpio_options(motor: TurntableSection | LiftSection) -> StepperGpioOptions:
    """What both motors' drivers on GPIO pins are told alike."""
    return StepperGpioOptions(
        step_pin=motor.step_pin,
        dir_pin=motor.direction_pin,
        enable_pin=motor.enable_pin,
        max_speed_deg_s=motor.max_speed_deg_s,
        acceleration_deg_s2=motor.acceleration_deg_s2,
        smoothing_s=motor.smoothing_s,
        backlash_deg=motor.backlash_deg,
        reversed=motor.invert,
        pulses=motor.pulses,
    )


def _phrase(text: str) -> Phrase | None:
    command, _, reply = text.partition(BETWEEN)
    return Phrase(command.strip(), reply.strip()) if command else None


def _index(level: Index, pin: int) -> IndexOptions | None:
    return None if level == "none" else IndexOptions(pin, active_low=level == "active_low")


def _switch(lift: LiftSection) -> IndexOptions | None:
    """The arm comes down on it, slowly, and keeps it closed down to its lowest place."""
    if lift.switch == "none":
        return None
    low = lift.switch == "active_low"
    return IndexOptions(lift.switch_pin, low, lift.home_deg, "backward", lift.max_speed_deg_s / 2, width_deg=100.0)
