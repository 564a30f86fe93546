"""A platter whose axis nods as it turns."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Wobble:
    """How far, how often and whereto it leans; the middle of its surface stays where it is."""

    tilt_deg: float = 0.0
    """Between the axis and the vertical, at every angle."""
    waves: int = 1
    """How often it nods in a turn: 1 is a platter that sits askew on its shaft, 2 a bearing with two high spots."""
    phase_deg: float = 0.0
    """Whereto it leans with the platter at 0, counter-clockwise from +x."""

    def seen_by_mat(self, mat_turned_deg: float) -> "Wobble":
        """Return the same by the mat's angles, where the mat lies on the platter turned by so much."""
        return replace(self, phase_deg=self.phase_deg - self.waves * mat_turned_deg)

    def matrix(self, platter_deg: float) -> NDArray[np.float64]:
        """Return the rotation (3, 3) that comes after the platter's turn: it tips z towards where the axis leans."""
        toward = np.deg2rad(self.waves * platter_deg + self.phase_deg)
        tilt = np.deg2rad(self.tilt_deg)
        x, y = -np.sin(toward), np.cos(toward)
        across = np.array([[0.0, 0.0, y], [0.0, 0.0, -x], [-y, x, 0.0]])
        return np.asarray(np.eye(3) + np.sin(tilt) * across + (1 - np.cos(tilt)) * across @ across)


STEADY = Wobble()
