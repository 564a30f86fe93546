"""The motor's rotor, pulled along by its coils for as long as they can: whether a profile asks for too much.

A pulse turns the coils' field ψ by one microstep. On the rotor at φ acts, with p = 50 teeth,

    T = −T(s) sin p(φ − ψ)

(Acarnley, Stepping motors: a guide to theory and practice, 4th ed. 2002, ch. 3; Jones, Stepping motor physics). It
repeats every four full steps: a rotor that is pulled over the top falls into the next hollow and has lost four, or a
multiple of them, never fewer. Speed s weakens the coils, whose inductance keeps the current small:
T(s) = T₀ min(1, U / I√(R² + (psL)²)) (ibid., ch. 5). The rotor alone swings with √(pT/J) (ibid., ch. 4): some 300 Hz
here. Through the belt hangs on it what it has to turn, as `platter.py` says, but that the belt's damping is between
its two ends; friction takes its share.

Everything is seen from the motor's axle, in radians, and integrated by Euler's symplectic method.
"""

import math
from dataclasses import dataclass
from functools import cached_property

STRIDE_S = 0.00015
"""A twentieth of the usual rotor's own period; shorter where belt and load are stiffer."""
STABLE_SHARE = 1.25
"""Of the time in which the belt's damping alone would stop the rotor; Euler's method becomes unstable at 2."""
LOOK_STRIDES = 64
"""After so many it is looked whether anything can still happen without a further pulse."""
FAST_S = 0.008
"""Pulses closer than this keep a rotor turning; slower ones let it rest between them."""
SPEED_OVER_S = 0.002
"""As fast as current follows; some controllers make several pulses at once."""
LONG_AGO_S = -1e6


@dataclass(frozen=True)
class MotorMake:
    """A small motor, as data sheets of NEMA 17 of 20 mm have it, on a chopper driver at 12 V."""

    holding_nm: float = 0.16
    friction_nm: float = 0.007
    """Of everything that turns, at the motor's axle."""
    inertia_kgm2: float = 2.0e-6
    """Rotor and pulley."""
    damping_ratio: float = 0.1
    """Of the rotor's own swing: eddy currents."""
    teeth: int = 50
    """A quarter of the full steps of a turn."""
    current_a: float = 1.0
    resistance_ohm: float = 3.5
    inductance_h: float = 0.0045
    supply_v: float = 12.0

    @cached_property
    def natural_hz(self) -> float:
        """Of the rotor alone, at rest."""
        return math.sqrt(self.teeth * self.holding_nm / self.inertia_kgm2) / (2 * math.pi)

    def torque_nm(self, speed_rad_s: float) -> float:
        """Return the most that the coils pull at this speed of the field."""
        impedance_ohm = math.hypot(self.resistance_ohm, self.teeth * speed_rad_s * self.inductance_h)
        return self.holding_nm * min(1.0, self.supply_v / (self.current_a * impedance_ohm))


@dataclass(frozen=True)
class BeltLoad:
    """What hangs on the motor by the belt, as its axle feels it."""

    inertia_kgm2: float
    omega: float
    """2 pi times the resonance of platter and belt, 1/s."""
    damping_ratio: float


class Rotor:
    """One motor with current. Times are the bench's, positions in microsteps."""

    def __init__(self, make: MotorMake, load: BeltLoad, microsteps: int, hiccup_s: float) -> None:
        """Stand still in a hollow. Fast pulses that pause for less than `hiccup_s` may still go on."""
        self._make = make
        self._hiccup_s = hiccup_s
        self._cycle_steps = 4 * microsteps
        self._cycle_rad = 2 * math.pi / make.teeth
        self._step_rad = self._cycle_rad / self._cycle_steps
        self._rest_pull = self._pull = make.holding_nm / make.inertia_kgm2
        self._drag = 2 * make.damping_ratio * 2 * math.pi * make.natural_hz
        self._friction = make.friction_nm / make.inertia_kgm2
        self._weight = load.inertia_kgm2 / make.inertia_kgm2
        damping = 2 * load.damping_ratio * load.omega * self._weight
        self._stride_s = min(STRIDE_S, STABLE_SHARE / damping) if damping else STRIDE_S
        self._omega, self._decay = load.omega, load.damping_ratio * load.omega
        self._field = self._angle = self._rate = self._load_angle = self._load_rate = 0.0
        self._cycles = 0
        self._at_s = self._pulsed_s = LONG_AGO_S
        self._is_fast = False
        self._speed_rad_s = 0.0

    def pulse(self, steps: float, at_s: float, meant_s: float | None = None) -> int:
        """Turn the field; return by how many microsteps the rotor fell behind (less than 0) since last asked.

        `meant_s` is how long after the pulse before it was meant to come, where somebody knows. Pulses of the bench
        are timed by a thread of Python on a busy laptop; a Pi's by C or by DMA. So a motor that turns fast gets
        them as they were meant, also when they come late and then in haste.
        """
        wait_s = at_s - self._pulsed_s
        if self._is_fast and meant_s is not None and wait_s < self._hiccup_s:
            wait_s = meant_s
            self._run(meant_s)
        else:
            self._run(at_s - self._at_s)
        self._at_s = self._pulsed_s = at_s
        self._is_fast = (wait_s if meant_s is None else meant_s) < FAST_S
        self._field += steps * self._step_rad
        kept = 1 - min(wait_s / SPEED_OVER_S, 1)
        self._speed_rad_s = kept * self._speed_rad_s + abs(steps) * self._step_rad / max(wait_s, SPEED_OVER_S)
        self._pull = self._make.torque_nm(self._speed_rad_s) / self._make.inertia_kgm2
        return self._newly_lost()

    def rest(self, at_s: float) -> int:
        """Nothing has come until now: the same, once it is sure that the pulses have ended."""
        if at_s <= self._at_s or (self._is_fast and at_s - self._pulsed_s < self._hiccup_s):
            return 0
        self._pull = self._rest_pull
        self._run(at_s - self._at_s)
        self._at_s, self._is_fast = at_s, False
        return self._newly_lost()

    def _newly_lost(self) -> int:
        before, self._cycles = self._cycles, round((self._angle - self._field) / self._cycle_rad)
        return (self._cycles - before) * self._cycle_steps

    def _run(self, duration_s: float) -> None:
        """Let time pass with the field at rest."""
        left_s = duration_s
        while left_s > 0:
            if left_s > LOOK_STRIDES * self._stride_s and self._is_captive:
                self._swing_out(left_s)
                return
            stretch_s = min(left_s, LOOK_STRIDES * self._stride_s)
            self._integrate(stretch_s)
            left_s -= stretch_s

    @property
    def _is_captive(self) -> bool:
        """Whether all energy together is less than half of what leads over the top."""
        stretch = self._angle - self._load_angle
        energy = self._rate**2 + self._weight * (self._load_rate**2 + (self._omega * stretch) ** 2)
        hollow = self._pull * self._cycle_rad / (2 * math.pi)
        lag = 2 * math.pi * (self._angle - self._field) / self._cycle_rad
        return energy / 2 + hollow * (1 - math.cos(lag)) < hollow

    def _integrate(self, duration_s: float) -> None:
        strides = math.ceil(duration_s / self._stride_s)
        step_s = duration_s / strides
        sin, copysign = math.sin, math.copysign
        teeth, field = self._make.teeth, self._field
        pull, drag, most = self._pull * step_s, self._drag * step_s, self._friction * step_s
        stiff, damping = self._omega**2 * step_s, 2 * self._decay * step_s
        weight = self._weight
        angle, rate, load_angle, load_rate = self._angle, self._rate, self._load_angle, self._load_rate
        for _ in range(strides):
            stretch = angle - load_angle
            tension = stiff * stretch + damping * (rate - load_rate)
            rate -= pull * sin(teeth * (angle - field)) + drag * rate + weight * tension
            rate = rate - copysign(most, rate) if rate > most or rate < -most else 0.0
            angle += rate * step_s
            load_rate += tension
            load_angle += load_rate * step_s
        self._angle, self._rate, self._load_angle, self._load_rate = angle, rate, load_angle, load_rate

    def _swing_out(self, duration_s: float) -> None:
        """Rest in the nearest hollow; the platter swings on its belt as `Platter` has it."""
        hollow = self._field + round((self._angle - self._field) / self._cycle_rad) * self._cycle_rad
        damped = math.sqrt(self._omega**2 - self._decay**2)
        fading = math.exp(-self._decay * duration_s)
        cosine, sine = math.cos(damped * duration_s) * fading, math.sin(damped * duration_s) * fading / damped
        offset, rate = self._load_angle - hollow, self._load_rate
        self._angle, self._rate = hollow, 0.0
        self._load_angle = hollow + offset * cosine + (rate + self._decay * offset) * sine
        self._load_rate = rate * cosine - (self._omega**2 * offset + self._decay * rate) * sine
