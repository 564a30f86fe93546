"""Whether the object stands still, decided from successive companions of the running stream.

The frame that proves it is the photo: its companion shows the same picture as the one before, so nothing is taken
twice and nobody waits for a fixed time. Where a platter has been seen to rest sooner than two frames can be compared,
the first frame is believed, and proved again now and then. A scene without texture tells nothing; then the fixed
dwell is waited.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drivers.protocols import Glimpse
from scannerd.quality.motion import MotionMeter, Shrunk, Tiles, middle_tiles, shrunk, tile_shares

STILL_PX = 0.7
"""Pixels of the photo between two frames. A swing that fades moves less from then on: under half a pixel of blur."""


@dataclass(frozen=True)
class SettleLimits:
    """How long to wait, in seconds after the last step."""

    dwell_s: float
    """Fixed wait where pictures cannot tell, and the least after a retake."""
    cap_s: float
    """A platter that still moves by then is photographed all the same; the gate judges the photo."""
    adaptive: bool = True
    """False: always the fixed dwell."""


@dataclass
class Settling:
    """How one frame came to be kept. `keep` is handed to the camera and runs in its thread."""

    arrived_s: float
    limits: SettleLimits
    least_s: float
    """No frame that was exposed sooner after the last step is kept."""
    hardware_s: Callable[[float], float]
    """From CLOCK_MONOTONIC to the hardware's clock."""
    compare: Callable[[Shrunk, Shrunk], float | None]
    """Photo pixels moved; None where the pictures cannot tell."""
    moved: bool = True
    """False when nothing turned since the last photo: there is nothing to wait for."""
    trusted_s: float | None = None
    """A first frame exposed so long after the last step is believed to show an object at rest."""
    seen: list[tuple[float, float | None]] = field(default_factory=list)
    """For each frame: when its exposure began after the last step, and how far it was from the one before, in px."""
    gave_up: bool = False
    _before: Shrunk | None = None

    @property
    def believed(self) -> bool:
        """Whether the first frame was kept, with no other to compare it with."""
        return len(self.seen) == 1 and self.seen[0][1] == np.inf

    def keep(self, glimpse: Glimpse) -> bool:
        """Whether the frame of this companion is the photo."""
        after_s = self.hardware_s(glimpse.exposed_at_s) - self.arrived_s
        if not self.moved or not self.limits.adaptive:
            self.seen.append((after_s, None))
            return after_s >= (self.limits.dwell_s if self.moved else self.least_s)
        picture = shrunk(glimpse.picture.y)
        moved_px = self.compare(self._before, picture) if self._before is not None else np.inf
        self._before = picture
        self.seen.append((after_s, moved_px))
        if after_s >= self.limits.cap_s:
            self.gave_up = True
            return True
        if moved_px is None:
            return after_s >= max(self.limits.dwell_s, self.least_s)
        if len(self.seen) == 1 and self.trusted_s is not None:
            return after_s >= max(self.trusted_s, self.least_s)
        return moved_px <= STILL_PX and after_s >= self.least_s


class Settle:
    """Watches one scan's object come to rest, viewpoint after viewpoint."""

    def __init__(self, limits: SettleLimits, photo_width_px: int, hardware_s: Callable[[float], float]) -> None:
        """`hardware_s` turns CLOCK_MONOTONIC into the hardware's own time."""
        self._limits = limits
        self._photo_width_px = photo_width_px
        self._hardware_s = hardware_s
        self._meter = MotionMeter()
        self._mask: NDArray[np.uint8] | None = None
        self._tiles: Tiles | None = None

    def look_at(self, mask: NDArray[np.uint8] | None) -> None:
        """Watch this part of the companion from now on: the object, as the latest frame showed it."""
        self._mask, self._tiles = mask, None

    def begin(
        self, arrived_s: float, attempt: int = 1, *, moved: bool = True, trusted_s: float | None = None
    ) -> Settling:
        """Return what decides about the frames after an arrival; a later attempt waits longer."""
        least_s = self._limits.dwell_s * (attempt - 1)
        return Settling(arrived_s, self._limits, least_s, self._hardware_s, self._moved_px, moved, trusted_s)

    def _moved_px(self, before: Shrunk, after: Shrunk) -> float | None:
        if self._tiles is None or self._tiles.shape != middle_tiles(after).shape:
            self._tiles = middle_tiles(after) if self._mask is None else tile_shares(self._mask, after)
        moved_px = self._meter.moved_px(before, after, self._tiles)
        if moved_px is None:
            return None
        companion_width_px = after.grey.shape[1] * after.px_per_px
        return float(moved_px * self._photo_width_px / companion_width_px)
