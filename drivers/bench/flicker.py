"""Light that is not steady, lamps on the mains and one dimmed by pulses, as rows of a rolling shutter see it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS_SAMPLED = 512
"""Of a photo; between them the light is interpolated."""


@dataclass(frozen=True)
class LightFlicker:
    """How light changes with time, its mean being 1. Steady unless told."""

    mains_hz: float = 0.0
    """Lamps are brightest twice in each period; 0: they are steady."""
    depth: float = 0.3
    """By how much of their mean: 0.05 for good lamps, 0.3 for cheap ones, 1 for the worst."""
    pulses_hz: float = 0.0
    """Of the light on the object; 0: as fast as nobody sees."""

    @property
    def steady(self) -> bool:
        """Whether there is none."""
        return not (self.mains_hz or self.pulses_hz)

    def rows(
        self, start_s: float, exposure_s: float, readout_s: float, lamp_share: float, duty: float
    ) -> tuple[float, ...]:
        """Return the light that rows gather, from the first to the last, over its mean.

        Each row is exposed for `exposure_s`, the last one begins `readout_s` after the first. `lamp_share` of the
        light comes from pulses with this duty cycle, the rest from lamps on the mains.
        """
        begins_s = start_s + np.linspace(0.0, readout_s, ROWS_SAMPLED)
        light = (1 - lamp_share) * self._mains(begins_s, exposure_s)
        light += lamp_share * self._pulses(begins_s, exposure_s, duty)
        return tuple(light.tolist())

    def _mains(self, begins_s: NDArray[np.float64], exposure_s: float) -> NDArray[np.float64]:
        if not self.mains_hz:
            return np.ones_like(begins_s)
        rate = 2 * math.pi * 2 * self.mains_hz
        gathered = np.cos(rate * begins_s) - np.cos(rate * (begins_s + exposure_s))
        return np.asarray(1 + self.depth * gathered / (rate * exposure_s))

    def _pulses(self, begins_s: NDArray[np.float64], exposure_s: float, duty: float) -> NDArray[np.float64]:
        if not self.pulses_hz or not 0 < duty < 1:
            return np.ones_like(begins_s)
        lit_s = self._lit_until_s(begins_s + exposure_s, duty) - self._lit_until_s(begins_s, duty)
        return np.asarray(lit_s / (exposure_s * duty))

    def _lit_until_s(self, at_s: NDArray[np.float64], duty: float) -> NDArray[np.float64]:
        """Return for how long it has shone since the beginning of time."""
        period_s = 1 / self.pulses_hz
        whole = np.floor(at_s / period_s)
        return np.asarray(whole * duty * period_s + np.minimum(at_s - whole * period_s, duty * period_s))
