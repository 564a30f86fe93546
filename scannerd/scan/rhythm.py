"""The stream's frame time, stretched so that a frame begins just when the object has come to rest.

A running sensor opens its shutter on a grid of its own. Where the grid does not fit the motion, every viewpoint waits
for the next frame, half a frame time on average. From one photo to the next the work takes a nearly constant time
C = readout + turning + settling, so the frame time is made C / n, with the largest n that the sensor can follow: the
n-th frame after a photo is then the next photo, and none of the frames is longer than it must be by more than 1 / n.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from scannerd.scan.settle import STILL_PX

REMEMBERED = 6
"""Viewpoints whose slowest sets the time: a frame that begins too soon costs a whole frame time."""
FIRST_VIEWPOINTS = 3
"""Taken on the free-running stream, to learn how long things take."""
CALM, LIVELY = 0.6, 0.85
"""Of the limit: calmer than that, less settling is tried; livelier, a little more is given."""
SHORTEN_S, LENGTHEN_S = 0.004, 0.003
PROOFS = 3
"""So many frames that turned out to show an object at rest are enough to believe one."""
SPREAD_S, WITHIN_S = 0.04, 0.1
"""Proofs lie at least so far apart and at most so far. A swing that just turns round looks like rest, and so does one
of which two frames show the same moment; over half a swing's time it cannot."""
DITHER_S = 0.012
"""By so much later each next frame is tried until there are proofs enough, so that they do not all lie at one moment
of the swing."""
SOONER_S = 0.008
"""A proof is tried so much before the moment that is believed so far: a small part of a swing, and of its fading."""
AFTER_RESTLESS_S = 0.006
IN_TIME_S = 0.004
"""Frames are aimed so much later than what is believed: one that comes too soon costs a whole frame time."""
REMEMBERED_PAIRS = 40
STRAY_S = 0.04
"""A single restless pair so much later than all others tells of a late step, not of the belt."""
CHECKED_AFTER = (1, 2, 4, 8, 16)
"""So many believed frames may follow each other before one is proved again."""
LONGEST_STRETCH = 1.5
"""A frame time is never stretched further: then a viewpoint has too few frames to tell stillness by."""
NOTICEABLE_S = 0.0005


@dataclass(frozen=True)
class Beat:
    """One viewpoint, on the hardware's clock."""

    before_s: float
    """When the exposure of the photo before began."""
    arrived_s: float
    """The last step of the move from there."""
    seen: tuple[tuple[float, float | None], ...]
    """As `Settling.seen`: the last one was kept."""


class Rhythm:
    """Learns from each viewpoint and says what the frame time should be."""

    def __init__(self, frame_s: float) -> None:
        """`frame_s` is the shortest time from frame to frame."""
        self._shortest_s = frame_s
        self._travels_s: deque[float] = deque(maxlen=REMEMBERED)
        self._settle_s: float | None = None
        self._beats = 0
        self._pairs: deque[tuple[float, float]] = deque(maxlen=REMEMBERED_PAIRS)
        self._believed = 0
        self._checks = 0
        self.frame_s: float | None = None
        """What the stream is asked for; None: as fast as it goes."""

    def take(self, beat: Beat) -> bool:
        """Learn from a viewpoint; return whether `frame_s` changed by more than the sensor would notice."""
        self._beats += 1
        self._travels_s.append(beat.arrived_s - beat.before_s)
        self._learn_settling(beat)
        before_s = self.frame_s
        if self._beats >= FIRST_VIEWPOINTS and self._settle_s is not None:
            self.frame_s = self._fitting(max(self._travels_s) + self._settle_s)
        return self.frame_s is not None and (before_s is None or abs(self.frame_s - before_s) > NOTICEABLE_S)

    @property
    def trusted_s(self) -> float | None:
        """How long after the last step a first frame is believed; None: the next one has to be proved."""
        return None if self._is_due else self._calm_from_s()

    def distrust(self) -> None:
        """A photo that was believed turned out to be blurred: prove every one again."""
        self._pairs.clear()
        self._checks = self._believed = 0

    @property
    def _is_due(self) -> bool:
        return self._believed >= CHECKED_AFTER[min(self._checks, len(CHECKED_AFTER) - 1)]

    def _learn_settling(self, beat: Beat) -> None:
        if len(beat.seen) == 1 and beat.seen[0][1] is not None:
            self._believed += 1
        else:
            self._checks += self._calm_from_s() is not None
            self._believed = 0
            self._learn_pairs(beat)
        calm_s = self._calm_from_s()
        if calm_s is None:
            self._learn_from_comparisons(beat)
        elif self._is_due:
            self._settle_s = max(calm_s - SOONER_S, self._restless_s + AFTER_RESTLESS_S, 0.0)
        else:
            self._settle_s = calm_s + IN_TIME_S

    def _learn_pairs(self, beat: Beat) -> None:
        """The frame after shows whether a frame could have been kept."""
        for (after_s, _), (_, moved_px) in pairwise(beat.seen):
            if moved_px is not None:
                self._pairs.append((after_s, moved_px))

    @property
    def _restless_s(self) -> float:
        """The latest moment at which the object was seen to swing."""
        restless = sorted(after_s for after_s, moved_px in self._pairs if moved_px > CALM * STILL_PX)
        if len(restless) > 1 and restless[-1] - restless[-2] > STRAY_S:
            restless.pop()
        return restless[-1] if restless else -AFTER_RESTLESS_S

    def _calm_from_s(self) -> float | None:
        """The first moment from which on the object rests, as far as several proofs tell."""
        earliest_s = self._restless_s + AFTER_RESTLESS_S
        calm = sorted(after_s for after_s, _ in self._pairs if after_s >= earliest_s)
        for first_s in calm:
            near = [after_s for after_s in calm if first_s <= after_s <= first_s + WITHIN_S]
            if len(near) >= PROOFS and near[-1] - first_s >= SPREAD_S:
                return first_s
        return None

    def _learn_from_comparisons(self, beat: Beat) -> None:
        kept_s, moved_px = beat.seen[-1]
        # Where two frames after the last step come too late to be of use, proofs are sought at other moments.
        early = self._restless_s + AFTER_RESTLESS_S + PROOFS * DITHER_S < self._shortest_s
        if early and any(after_s > self._restless_s for after_s, _ in self._pairs):
            self._settle_s = self._restless_s + AFTER_RESTLESS_S + self._beats % 4 * DITHER_S
            return
        refused = [after_s for after_s, _ in beat.seen[:-1]]
        if self._settle_s is None or moved_px is None:
            self._settle_s = kept_s
        elif len(refused) > 1 and self._beats > FIRST_VIEWPOINTS:
            # A frame was compared and refused: what it had was too little.
            self._settle_s = max(self._settle_s, refused[-1] + self._shortest_s / 4)
        elif moved_px < CALM * STILL_PX:
            self._settle_s -= SHORTEN_S
        elif moved_px > LIVELY * STILL_PX:
            self._settle_s += LENGTHEN_S
        if moved_px is not None:
            # Two frames after the last step have to be compared, so the second is the photo at the earliest.
            self._settle_s = max(self._settle_s, self._shortest_s)

    def _fitting(self, cycle_s: float) -> float:
        frames = max(1, int(cycle_s / self._shortest_s))
        return min(max(cycle_s / frames, self._shortest_s), LONGEST_STRETCH * self._shortest_s)
