"""The arm that carries the camera: counted steps in, the camera's true elevation out."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class LiftMechanics:
    """How the simulated arm is built. It is the truth: the driver's options only claim to match it."""

    step_deg: float = 0.01125
    start_deg: float = 30.0
    """Where the camera stands when the bench is switched on."""
    switch_deg: float = 12.0
    """From here downwards the arm closes a switch."""
    lowest_deg: float = 0.0
    highest_deg: float = 90.0
    """Beyond its end stops the motor stalls: pulses still count, the arm stays."""


class Lift:
    """A self-locking arm: without current it stays where it is."""

    def __init__(self, mechanics: LiftMechanics | None = None) -> None:
        self.mechanics = mechanics or LiftMechanics()
        self._lock = threading.Lock()
        self._elevation_deg = self.mechanics.start_deg

    @property
    def elevation_deg(self) -> float:
        """Of the camera above the platter, at this moment."""
        return self._elevation_deg

    def step(self, direction: float) -> None:
        """Turn the motor by one step, +1 upwards or -1."""
        with self._lock:
            self._put(self._elevation_deg + direction * self.mechanics.step_deg)

    def put(self, elevation_deg: float) -> None:
        """Move the arm by hand."""
        with self._lock:
            self._put(elevation_deg)

    def _put(self, elevation_deg: float) -> None:
        self._elevation_deg = min(max(elevation_deg, self.mechanics.lowest_deg), self.mechanics.highest_deg)
