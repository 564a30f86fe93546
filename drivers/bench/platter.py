"""The turntable's mechanics: counted steps in, the platter's true angle out.

The platter hangs on the motor by a belt, that is a spring: a damped oscillator driven by the motor's angle,

    θ'' = ω² (φ − θ) − 2 ζ ω θ'

where φ, the motor's angle at the platter, jumps by one step at each pulse. Between two pulses φ is constant and the
motion has a closed form, so nothing is integrated numerically and any past moment can be asked for exactly.
"""

import math
import threading
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from drivers.bench.swing import Swing

REMEMBERED_STEPS = 16_384
"""Ten seconds at the default full speed; an exposure asks for the last fraction of a second."""

LONG_AGO_S = -1e6


@dataclass(frozen=True)
class PlatterMechanics:
    """How the simulated turntable is built. It is the truth: the driver's options only claim to match it."""

    steps_per_turn: int = 9600
    """200 full steps × 16 microsteps × a gear ratio of 3."""
    resonance_hz: float = 8.0
    damping_ratio: float = 0.10
    backlash_deg: float = 0.0
    """How far the motor turns after a reversal before the platter follows."""
    step_error_deg: float = 0.0
    """Amplitude of the angle error over one full step (16 microsteps), as uneven coil currents cause it."""
    microsteps: int = 16

    @property
    def step_deg(self) -> float:
        """Angle of one pulse at the platter."""
        return 360.0 / self.steps_per_turn


class _Moment(NamedTuple):
    """The state right after a pulse."""

    at_s: float
    drive_deg: float
    angle_deg: float
    rate_deg_s: float


class Platter:
    """What turns. Times are the bench's; angles are counter-clockwise seen from above, never wrapped."""

    def __init__(self, mechanics: PlatterMechanics | None = None) -> None:
        """Stand still at 0°."""
        self.mechanics = mechanics or PlatterMechanics()
        self._omega = 2 * math.pi * self.mechanics.resonance_hz
        self._decay = self.mechanics.damping_ratio * self._omega
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
        """Where the platter comes to rest if no further pulse arrives."""
        return self._history[-1].drive_deg

    def step(self, direction: float, at_s: float) -> None:
        """Turn the motor by one step, +1 counter-clockwise or -1; other numbers are so many steps at once."""
        with self._lock:
            self._motor_steps += direction
            last = self._history[-1]
            at_s = max(at_s, last.at_s)
            angle_deg, rate_deg_s = self._evolve(last, at_s)
            self._history.append(_Moment(at_s, self._drive_deg(), angle_deg, rate_deg_s))

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
        """Where the motor wants the platter: its own angle, its step error, and the play in the belt."""
        mechanics = self.mechanics
        motor_deg = self._motor_steps * mechanics.step_deg
        phase = 2 * math.pi * self._motor_steps / mechanics.microsteps
        motor_deg += mechanics.step_error_deg * math.sin(phase)
        half_play_deg = mechanics.backlash_deg / 2
        self._belt_deg = min(max(self._belt_deg, motor_deg - half_play_deg), motor_deg + half_play_deg)
        return self._belt_deg + self._by_hand_deg

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
