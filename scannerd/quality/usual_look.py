"""What a picture usually shows at each place: learnt while the object turns before it, in constant memory.

Two looks are remembered for every pixel, and how often each was seen; the more frequent one is the usual look
(Misra and Gries, "Finding repeated elements", 1982, with two counters). An object that passes is the other one.
"""

import cv2
import numpy as np

from drivers.picture import Plane
from scannerd.quality.flags import Flags, both, either, more_than, within, without

SAME_LEVELS = (12.0, 7.0, 7.0)
"""Two looks this close in brightness, blue and red count as one."""
MOST_COUNTED = 240
MOSTLY = 0.75


class UsualLook:
    """Of one raster (height, width), three channels."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._first = np.zeros((*shape, 3), np.uint8)
        self._second = np.zeros((*shape, 3), np.uint8)
        self._first_count = np.zeros(shape, np.uint8)
        self._second_count = np.zeros(shape, np.uint8)
        self._seen = np.zeros(shape, np.uint8)
        self.pictures = 0
        """Learnt so far."""

    @property
    def picture(self) -> Plane:
        """(height, width, 3): the usual look, where it is known."""
        return self._first

    def known(self, least: int = 3, share: float = 0.5) -> Flags:
        """Return where one look was seen at least so often, and for more than this share of the time."""
        return both(more_than(self._first_count, least - 1.0), self._more_often_than(share))

    def often_seen(self, least: int) -> Flags:
        """Return where something was seen at least so often, the same or not."""
        return more_than(self._seen, least - 1.0)

    def left_again(self) -> Flags:
        """Return where the usual look was seen nearly always, but not always."""
        other = more_than(np.asarray(cv2.subtract(self._seen, self._first_count), np.uint8), 1.0)
        return both(other, self._more_often_than(MOSTLY))

    def learn(self, picture: Plane, where: Flags) -> None:
        """Count (height, width, 3) where it is flagged."""
        if self.pictures and int(self._seen.max()) >= MOST_COUNTED:
            self._forget_half()
        first = both(alike(picture, self._first), where)
        second = both(alike(picture, self._second), without(where, first))
        neither = without(where, either(first, second))
        weak = without(neither, more_than(self._second_count, 1.0))
        cv2.copyTo(picture, first, self._first)
        cv2.copyTo(picture, either(second, weak), self._second)
        self._first_count = _one_more(self._first_count, first)
        self._second_count = _one_more(_one_less(self._second_count, without(neither, weak)), second)
        self._second_count[weak > 0] = 1
        self._seen = _one_more(self._seen, where)
        self._swap(more_than(self._second_count, self._first_count))
        self.pictures += 1

    def _more_often_than(self, share: float) -> Flags:
        return more_than(self._first_count, np.asarray(cv2.convertScaleAbs(self._seen, alpha=share), np.uint8))

    def _swap(self, where: Flags) -> None:
        if not cv2.countNonZero(where):
            return
        for one, other in ((self._first, self._second), (self._first_count, self._second_count)):
            kept = one.copy()
            cv2.copyTo(other, where, one)
            cv2.copyTo(kept, where, other)

    def _forget_half(self) -> None:
        """What was seen long ago counts less; shares stay as they are."""
        for counts in (self._first_count, self._second_count, self._seen):
            counts >>= 1


def alike(one: Plane, other: Plane) -> Flags:
    """Return (h, w): where two pictures (h, w, 3) show the same."""
    return within(np.asarray(cv2.absdiff(one, other), np.uint8), (0.0, 0.0, 0.0), SAME_LEVELS)


def _one_more(counts: Plane, where: Flags) -> Plane:
    return np.asarray(cv2.add(counts, where >> 7), np.uint8)


def _one_less(counts: Plane, where: Flags) -> Plane:
    return np.asarray(cv2.subtract(counts, where >> 7), np.uint8)
