"""Photos that stay the same although the motor turned: all that can be known of a jam where no mat is seen.

An object may look the same all round, or on one side of it, so that nothing is corrected and nothing stops: people
are told, and can see for themselves. It is claimed only of a scan whose photos differed before.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCKS = (32, 24)
"""Columns and rows: so coarse that neither noise nor a platter that still swings a little shows."""
DIFFERENT_LEVELS, SAME_LEVELS = 5.0, 1.5
"""Of 255, what the most changed blocks differ by at least, or at most."""
MOST_CHANGED = 98.0
"""Percentile of the blocks."""
DIFFERED_BEFORE, SAME_IN_A_ROW = 3, 2


class SamenessWatch:
    """Watches the plain photos of one run."""

    def __init__(self) -> None:
        self._before: NDArray[np.float64] | None = None
        self._place: tuple[int, int] | None = None
        self._differed = self._same = 0

    def see(self, place: tuple[int, int], grey: NDArray[np.uint8], *, moved: bool) -> bool:
        """Return whether the platter seems to stand still, once for each time that it does.

        `place` are side and ring: from another one everything looks different. `grey` is (height, width).
        """
        picture = np.asarray(cv2.resize(grey, BLOCKS, interpolation=cv2.INTER_AREA), np.float64)
        before, self._before = self._before, picture
        if place != self._place:
            self._place, self._differed, self._same = place, 0, 0
            return False
        if before is None or not moved:
            return False
        levels = float(np.percentile(np.abs(picture - before), MOST_CHANGED))
        self._differed += levels >= DIFFERENT_LEVELS
        self._same = self._same + 1 if levels <= SAME_LEVELS else 0
        return self._differed >= DIFFERED_BEFORE and self._same == SAME_IN_A_ROW
