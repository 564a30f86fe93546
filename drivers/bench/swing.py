"""How a platter that was left to itself comes to rest, in closed form: the truth about settling."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GRID_S = 0.00025
_LOOKED_AT_S = 4.0
"""By then the slowest belt worth building has come to rest."""


@dataclass(frozen=True)
class Swing:
    """The state right after a move's last step: a free damped oscillation follows."""

    began_s: float
    """On the bench's clock."""
    rest_deg: float
    """Where it comes to rest."""
    angle_deg: float
    rate_deg_s: float
    omega: float
    """2 pi times the resonance without damping, 1/s."""
    decay: float
    """Of the envelope, 1/s."""

    def angles_deg(self, after_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the platter is, at times (n,) after the last step."""
        damped = np.sqrt(self.omega**2 - self.decay**2)
        offset = self.angle_deg - self.rest_deg
        sine = (self.rate_deg_s + self.decay * offset) / damped
        fading = np.exp(-self.decay * after_s)
        return np.asarray(
            self.rest_deg + fading * (offset * np.cos(damped * after_s) + sine * np.sin(damped * after_s))
        )

    def settled_after_s(self, exposure_s: float, travel_deg: float) -> float:
        """Return the least wait after the last step from which on no exposure sees the platter move `travel_deg`."""
        angles = self.angles_deg(np.arange(0, _LOOKED_AT_S, _GRID_S))
        window = max(2, round(exposure_s / _GRID_S) + 1)
        seen = np.lib.stride_tricks.sliding_window_view(angles, window)
        moving = np.flatnonzero(seen.max(axis=1) - seen.min(axis=1) >= travel_deg)
        return float(moving[-1] + 1) * _GRID_S if moving.size else 0.0
