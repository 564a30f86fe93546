"""What each driver can be told, as plain values with units; the daemon's config builds them.

Pins are Broadcom numbers (GPIO17, not header pin 11). The defaults are the documented wiring.
"""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class IndexOptions:
    """A switch or an optical sensor that marks one place of the axis."""

    pin: int
    active_low: bool = True
    """It pulls the line to ground where it is met, against the Pi's pull-up: most switches and slotted sensors."""
    angle_deg: float = 0.0
    """The axis's angle at the edge that is met when searching."""
    search: Literal["forward", "backward"] = "forward"
    """Which way to look for it: forward is counter-clockwise, or up."""
    speed_deg_s: float = 20.0
    """Of the search. The edge itself is met step by step."""
    width_deg: float = 5.0
    """Nobody is farther than this from either edge while the sensor is active."""


@dataclass(frozen=True)
class StepperGpioOptions:
    """A stepper motor behind a STEP/DIR/ENABLE driver board."""

    name: str = "turntable"
    """What it moves, as messages and config.toml call it."""
    step_pin: int = 17
    dir_pin: int = 27
    enable_pin: int | None = 5
    """GPIO5 is pulled up until software takes it, so the motor stays off while the Pi boots. None when the board's
    ENABLE is tied to ground and the motor holds for ever."""
    enable_active_low: bool = True
    full_steps_per_turn: int = 200
    """Of the motor's shaft."""
    microsteps: int = 16
    """As the board's MS pins are strapped, or as they are set where they have pins."""
    microstep_pins: tuple[int, ...] = ()
    """MS1, MS2 (and MS3) where software sets them; empty: strapped."""
    board: Literal["a4988", "drv8825", "tmc2209"] = "a4988"
    """What the levels of the MS pins mean."""
    gear_ratio: float = 3.0
    """Turns of the motor for one turn of the platter."""
    max_speed_deg_s: float = 60.0
    acceleration_deg_s2: float = 180.0
    smoothing_s: float = 0.0
    """Speed changes are spread over so long: an S-curve. As long as one swing of the platter, it leaves no swing."""
    backlash_deg: float = 0.0
    """Play of belt or gear. Every place is then reached from the same side."""
    reversed: bool = False
    """False: DIR high turns the platter counter-clockwise seen from above."""
    soft_limits_deg: tuple[float, float] | None = None
    """Lowest and highest angle that a move may ask for; None turns for ever."""
    index: IndexOptions | None = None
    """None: whoever homes the axis says that it stands at 0."""
    pulses: Literal["auto", "lgpio", "pigpio", "thread"] = "auto"
    """Who times the pulses (docs/motion.md); auto: the best that this machine has."""

    @property
    def step_deg(self) -> float:
        """Angle of one microstep at the platter."""
        return 360.0 / (self.full_steps_per_turn * self.microsteps * self.gear_ratio)

    @property
    def backlash_steps(self) -> int:
        """Enough microsteps to take up the play."""
        return math.ceil(self.backlash_deg / self.step_deg)


@dataclass(frozen=True)
class Picamera2Options:
    """A Raspberry Pi camera on the CSI connector."""

    width_px: int = 1600
    height_px: int = 1200
    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    """Below what the sensor can do (1.12 for an imx708) its lowest is taken."""
    colour_gains: tuple[float, float] = (2.1, 1.9)
    """Red and blue: the white balance, locked for the whole scan."""
    lens_position_dioptres: float | None = None
    """For modules with a focus motor: 1 / distance in metres. None leaves the lens as it is."""
    focal_length_mm: float | None = None
    """Of the lens, where the module takes interchangeable ones (imx477, imx296); the others know their own."""
    buffer_count: int | None = None
    """Frames in flight. None: as many as this machine's memory allows (drivers/camera_memory.py)."""
    camera_index: int = 0


@dataclass(frozen=True)
class LampGpioOptions:
    """What is only on or off, such as a light-emitting diode with its resistor to ground: high switches it on."""

    pin: int = 24
    name: str = "lamp"
    section: str = "led"
    """Of config.toml."""


@dataclass(frozen=True)
class LightGpioOptions:
    """A light on the object behind a transistor: the pin's duty cycle is its brightness."""

    pin: int = 18
    level: float = 1.0
    """At the start, 0 to 1."""
    frequency_hz: int = 500
    """Of the pulses; gpiozero makes them in software, which carries some hundred a second."""


@dataclass(frozen=True)
class EmergencyStopGpioOptions:
    """The auxiliary contact of an emergency stop between the pin and ground, with the Pi's own pull-up."""

    pin: int = 22
    pushed_is_low: bool = False
    """False: a normally closed contact, which pushing and a broken wire open alike."""


@dataclass(frozen=True)
class ButtonGpioOptions:
    """A push button to ground, with the Pi's own pull-up."""

    pin: int = 23
