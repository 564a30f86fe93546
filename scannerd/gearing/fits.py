"""Lines and swings through angles that were seen: pure arithmetic, angles in degrees, times in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SLOWEST_HZ, FASTEST_HZ, HZ_STEP = 1.5, 25.0, 0.05
DAMPING_RATIOS = (0.01, 0.03, 0.06, 0.1, 0.15, 0.22, 0.3)
LEAST_SAMPLES = 8
EXPLAINED_SHARE = 0.7
"""Of what was seen to move a swing must explain so much, or it is none."""
LEAST_FRAMES_HZ = 20.0
"""Tables swing at 5 to 15 Hz: slower frames would show another frequency."""
LEAST_SWING_DEG = 0.005
"""Less is the noise of reading the mat."""


@dataclass(frozen=True)
class Scale:
    """How far the platter truly turns for each commanded degree; negative: the other way round."""

    true_per_commanded: float
    deviation: float
    """One standard deviation of it."""


@dataclass(frozen=True)
class Swing:
    """How the platter swings after a stop."""

    frequency_hz: float
    damping_ratio: float
    amplitude_deg: float
    """Of the largest of the swings seen, at the stop."""

    @property
    def period_s(self) -> float:
        """Of one swing."""
        return 1 / self.frequency_hz


@dataclass(frozen=True)
class Rest:
    """A platter coming to rest: angles (n,) at times (n,) after its last step."""

    after_s: Vector
    angles_deg: Vector


def nearest_turn(angle_deg: float, expected_deg: float) -> float:
    """Return the angle, of all that look the same, that is nearest to what is expected."""
    return angle_deg + 360 * round((expected_deg - angle_deg) / 360)


def scale_of(commanded_deg: Sequence[float], seen_deg: Sequence[float]) -> Scale:
    """Return the slope of the straight line through (commanded, seen); at least three of them."""
    commanded, seen = np.asarray(commanded_deg), np.asarray(seen_deg)
    spread = commanded - commanded.mean()
    slope = float(spread @ seen / (spread @ spread))
    off = seen - seen.mean() - slope * spread
    variance = float(off @ off) / max(1, len(seen) - 2)
    return Scale(slope, float(np.sqrt(variance / (spread @ spread))))


def swing_of(rests: Sequence[Rest]) -> Swing | None:
    """Return the damped oscillation that all rests show; None where they show none, or frames came too slowly.

    Each rest has a place, an amplitude and a phase of its own, for nobody knows to the millisecond when the last step
    was. So a frequency beyond half the frame rate looks like a lower one, and none is looked for there.
    """
    rests = [rest for rest in rests if len(rest.after_s) >= LEAST_SAMPLES]
    if not rests:
        return None
    frames_hz = 1 / float(np.median(np.concatenate([np.diff(rest.after_s) for rest in rests])))
    if frames_hz < LEAST_FRAMES_HZ:
        return None
    moved = float(sum(np.sum((rest.angles_deg - rest.angles_deg.mean()) ** 2) for rest in rests))
    left, frequency_hz, damping = min(
        (sum(_fit(rest, float(hz), ratio)[0] for rest in rests), float(hz), ratio)
        for hz in np.arange(SLOWEST_HZ, min(FASTEST_HZ, 0.48 * frames_hz), HZ_STEP)
        for ratio in DAMPING_RATIOS
    )
    if left > (1 - EXPLAINED_SHARE) * moved:
        return None
    amplitude_deg = max(_fit(rest, frequency_hz, damping)[1] for rest in rests)
    return Swing(frequency_hz, damping, amplitude_deg) if amplitude_deg >= LEAST_SWING_DEG else None


def _fit(rest: Rest, frequency_hz: float, damping: float) -> tuple[float, float]:
    """Return what one swing leaves of the sum of squares, and its amplitude at the stop."""
    fading = np.exp((1j - damping) * 2 * np.pi * frequency_hz * rest.after_s)
    columns = np.stack([np.ones(len(fading)), fading.real, fading.imag], axis=1)
    found, *_ = np.linalg.lstsq(columns, rest.angles_deg, rcond=None)
    off = columns @ found - rest.angles_deg
    return float(off @ off), float(np.hypot(found[1], found[2]))
