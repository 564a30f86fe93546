"""The turntable's mechanics: counted steps in, the platter's true angle out.

The platter hangs on the motor by a belt, that is a spring: a damped oscillator driven by the motor's angle,

    θ'' = ω² (φ − θ) − 2 ζ ω θ'

where φ, the motor's angle at the platter, jumps by one step at each pulse. Between two pulses φ is constant and the
motion has a closed form, so nothing is integrated numerically and any past moment can be asked for exactly.

Whether the motor follows its pulses is a question of torque: where the mechanics name a motor, `rotor.py` answers it,
and φ falls back by four full steps, or a multiple, each time that it does not.
"""

import math
import threading
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from drivers.bench.rotor import BeltLoad, MotorMake, Rotor
from drivers.bench.swing import Swing
from drivers.bench.wobble import STEADY, Wobble

REMEMBERED_STEPS = 16_384
"""Ten seconds at the default full speed; an exposure asks for the last fraction of a second."""

LONG_AGO_S = -1e6
FULL_STEPS_PER_TOOTH = 4
HICCUP_S = 2.0
"""So long a busy laptop may keep a thread from its pulses."""


@dataclass(frozen=True)
class PlatterMechanics:
    """How the simulated turntable is built. It is the truth: the driver's options only claim to match it."""

    steps_per_turn: int = 9600
    """200 full steps × 16 microsteps × a gear ratio of 3."""
    resonance_hz: float = 8.0
    """Of the belt and the platter with nothing on it."""
    damping_ratio: float = 0.10
    backlash_deg: float = 0.0
    """How far the motor turns after a reversal before the platter follows."""
    step_error_deg: float = 0.0
    """Amplitude of the angle error over one full step (16 microsteps), as uneven coil currents cause it."""
    microsteps: int = 16
    motor: MotorMake | None = None
    """None: one that is never too weak, also for pulses that a fast clock brings in bursts."""
    platter_kgm2: float = 0.0146
    """1.3 kg in a disc of 300 mm."""
    object_kg: float = 0.0
    """What stands on it; 0: as good as nothing. It counts also while the object is off the table."""
    object_radius_mm: float = 80.0
    """At which a ring of the object's mass would turn as heavily."""
    friction: float = math.inf
    """Between the object's foot and the mat; infinite: it never slides (`footing.py`)."""
    foot_radius_mm: float = 40.0
    """Of the ring on which the object stands."""
    wobble_deg: float = 0.0
    """By how much the axis leans as it turns (`wobble.py`)."""
    wobble_waves: int = 1
    eccentricity_deg: float = 0.0
    """Amplitude of the angle error over one turn of the platter, as a pulley off its centre causes it."""
    seed: int = 0
    """Where the axis leans to, and where the pulley is furthest out."""

    @property
    def step_deg(self) -> float:
        """Angle of one pulse at the platter."""
        return 360.0 / self.steps_per_turn

    @property
    def wobble(self) -> Wobble:
        """How the axis leans; the seed says whereto."""
        phase_deg = float(np.random.default_rng((self.seed, 0)).uniform(0, 360))
        return Wobble(self.wobble_deg, self.wobble_waves, phase_deg) if self.wobble_deg else STEADY

    @property
    def eccentric_rad(self) -> float:
        """Angle from 0 at which the pulley's error begins to rise; the seed says where."""
        return float(np.random.default_rng((self.seed, 1)).uniform(0, 2 * math.pi))

    @property
    def loaded_kgm2(self) -> float:
        """Inertia of the platter and of what stands on it."""
        return self.platter_kgm2 + self.object_kg * (self.object_radius_mm / 1000) ** 2

    @property
    def loaded_hz(self) -> float:
        """Resonance with the object: the same spring, more to swing."""
        return self.resonance_hz * math.sqrt(self.platter_kgm2 / self.loaded_kgm2)

    @property
    def loaded_damping_ratio(self) -> float:
        """With the object: the same friction, c/(2√(kJ))."""
        return self.damping_ratio * math.sqrt(self.platter_kgm2 / self.loaded_kgm2)

    def rotor(self, hiccup_s: float) -> Rotor | None:
        """Return the rotor that turns all this, where a motor is named."""
        if self.motor is None:
            return None
        gear_ratio = self.steps_per_turn / (self.motor.teeth * FULL_STEPS_PER_TOOTH * self.microsteps)
        load = BeltLoad(self.loaded_kgm2 / gear_ratio**2, 2 * math.pi * self.loaded_hz, self.loaded_damping_ratio)
        return Rotor(self.motor, load, self.microsteps, hiccup_s)


class _Moment(NamedTuple):
    """The state right after a pulse."""

    at_s: float
    drive_deg: float
    angle_deg: float
    rate_deg_s: float


class Platter:
    """What turns. Times are the bench's; angles are counter-clockwise seen from above, never wrapped."""

    def __init__(self, mechanics: PlatterMechanics | None = None, hiccup_s: float = HICCUP_S) -> None:
        """Stand still at 0°; for `hiccup_s` see `Rotor`."""
        self.mechanics = mechanics or PlatterMechanics()
        self._omega = 2 * math.pi * self.mechanics.loaded_hz
        self._eccentric_rad = self.mechanics.eccentric_rad
        self._decay = self.mechanics.loaded_damping_ratio * self._omega
        self._rotor = self.mechanics.rotor(hiccup_s)
        self.steps_lost = 0
        """Microsteps by which the rotor was left behind, or overran, all together."""
        self._omega_damped = math.sqrt(self._omega**2 - self._decay**2)
        self._lock = threading.Lock()
        self._motor_steps = 0.0
        self._belt_deg = 0.0
        self._by_hand_deg = 0.0
        self._history = deque([_Moment(LONG_AGO_S, 0.0, 0.0, 0.0)], maxlen=REMEMBERED_STEPS)

    @property
    def motor_steps(self) -> float:
        """Steps the motor has made, counter-clockwise less clockwise."""
        return self._motor_steps

    @property
    def settled_angle_deg(self) -> float:
        """Where the platter comes to rest if no further pulse arrives, and the motor loses no more."""
        return self._history[-1].drive_deg

    def step(self, direction: float, at_s: float, meant_s: float | None = None) -> None:
        """Turn the motor by one step, +1 counter-clockwise or -1; other numbers are so many steps at once.

        For `meant_s` see `Rotor.pulse`.
        """
        with self._lock:
            lost = self._rotor.pulse(direction, at_s, meant_s) if self._rotor is not None else 0
            self.steps_lost += abs(lost)
            self._turn_motor(direction + lost, at_s)

    def turn_by_hand(self, delta_deg: float, at_s: float) -> None:
        """Turn the platter on its motor, as a person does who pushes it; the motor's steps know nothing of it."""
        with self._lock:
            self._by_hand_deg += delta_deg
            at_s = max(at_s, self._history[-1].at_s)
            self._history.append(_Moment(at_s, self._drive_deg(), self._drive_deg(), 0.0))

    def true_angle_deg(self, at_s: float) -> float:
        """Return where the platter is, or was not long ago. Raises ValueError before the remembered history."""
        return self.sample(at_s, at_s, 1)[0]

    def sample(self, from_s: float, to_s: float, count: int) -> tuple[float, ...]:
        """Return `count` angles spread evenly over a stretch of time, ends included."""
        with self._lock:
            if self._rotor is not None and (lost := self._rotor.rest(to_s)):
                self.steps_lost += abs(lost)
                self._turn_motor(lost, to_s)
            moments = self._moments_since(from_s)
        times_s = np.linspace(from_s, to_s, count).tolist()
        angles_deg = []
        following = [later.at_s for _, later in pairwise(moments)] + [math.inf]
        index = 0
        for at_s in times_s:
            while following[index] <= at_s:
                index += 1
            angles_deg.append(self._evolve(moments[index], at_s)[0])
        return tuple(angles_deg)

    def swings(self, least_s: float = 0.05) -> list[Swing]:
        """Return how the platter was, or is, left to itself after the steps that none followed for `least_s`.

        Oldest first, as far as steps are remembered.
        """
        with self._lock:
            moments = list(self._history)
        following = [*(moment.at_s for moment in moments[1:]), math.inf]
        return [
            Swing(moment.at_s, moment.drive_deg, moment.angle_deg, moment.rate_deg_s, self._omega, self._decay)
            for moment, next_s in zip(moments, following, strict=True)
            if next_s - moment.at_s >= least_s
        ]

    def _turn_motor(self, steps: float, at_s: float) -> None:
        self._motor_steps += steps
        last = self._history[-1]
        at_s = max(at_s, last.at_s)
        angle_deg, rate_deg_s = self._evolve(last, at_s)
        self._history.append(_Moment(at_s, self._drive_deg(), angle_deg, rate_deg_s))

    def _moments_since(self, from_s: float) -> list[_Moment]:
        """Return the last moment not after `from_s` and everything that followed, oldest first."""
        moments = []
        for moment in reversed(self._history):
            moments.append(moment)
            if moment.at_s <= from_s:
                return moments[::-1]
        oldest_s = self._history[0].at_s
        raise ValueError(f"platter: asked for {from_s:.3f} s, remembers only since {oldest_s:.3f} s")

    def _drive_deg(self) -> float:
        """Where the motor wants the platter: its own angle, what steps and pulley err by, the belt's play."""
        mechanics = self.mechanics
        motor_deg = self._motor_steps * mechanics.step_deg
        phase = 2 * math.pi * self._motor_steps / mechanics.microsteps
        motor_deg += mechanics.step_error_deg * math.sin(phase)
        motor_deg += self._off_centre_deg()
        half_play_deg = mechanics.backlash_deg / 2
        self._belt_deg = min(max(self._belt_deg, motor_deg - half_play_deg), motor_deg + half_play_deg)
        return self._belt_deg + self._by_hand_deg

    def _off_centre_deg(self) -> float:
        """What the pulley adds: none at 0, where the platter was homed."""
        mechanics, begins_rad = self.mechanics, self._eccentric_rad
        if not mechanics.eccentricity_deg:
            return 0.0
        turned_rad = 2 * math.pi * self._motor_steps / mechanics.steps_per_turn
        return mechanics.eccentricity_deg * (math.sin(turned_rad + begins_rad) - math.sin(begins_rad))

    def _evolve(self, moment: _Moment, at_s: float) -> tuple[float, float]:
        """Return angle and rate at a later time under a constant drive: the free damped oscillation about it."""
        elapsed_s = at_s - moment.at_s
        offset = moment.angle_deg - moment.drive_deg
        rate = moment.rate_deg_s
        fading = math.exp(-self._decay * elapsed_s)
        cosine = math.cos(self._omega_damped * elapsed_s) * fading
        sine = math.sin(self._omega_damped * elapsed_s) * fading / self._omega_damped
        angle_deg = moment.drive_deg + offset * cosine + (rate + self._decay * offset) * sine
        return angle_deg, rate * cosine - (self._omega**2 * offset + self._decay * rate) * sine
