"""The stream's frame time, stretched so that a frame begins just when the object has come to rest.

A running sensor opens its shutter on a grid of its own. Where the grid does not fit the motion, every viewpoint waits
for the next frame, half a frame time on average. From one photo to the next the work takes a nearly constant time
C = readout + turning + settling, so the frame time is made C / n, with the largest n that the sensor can follow: the
n-th frame after a photo is then the next photo, and none of the frames is longer than it must be by more than 1 / n.
"""

from collections import deque
from dataclasses import dataclass

from scannerd.scan.settle import STILL_PX

REMEMBERED = 6
"""Viewpoints whose slowest sets the time: a frame that begins too soon costs a whole frame time."""
FIRST_VIEWPOINTS = 3
"""Taken on the free-running stream, to learn how long things take."""
CALM, LIVELY = 0.6, 0.85
"""Of the limit: calmer than that, less settling is tried; livelier, a little more is given."""
SHORTEN_S, LENGTHEN_S = 0.004, 0.003
FIRST_FRAMES_PROVED = 3
"""So many first frames in a row that turned out to show an object at rest are enough to believe the next one."""
CHECKED_AFTER = (1, 2, 4, 8)
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
        self._proved: list[float] = []
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
        due = self._believed >= CHECKED_AFTER[min(self._checks, len(CHECKED_AFTER) - 1)]
        return None if due or len(self._proved) < FIRST_FRAMES_PROVED else max(self._proved[-FIRST_FRAMES_PROVED:])

    def distrust(self) -> None:
        """A photo that was believed turned out to be blurred: prove every one again."""
        self._proved.clear()
        self._checks = self._believed = 0

    def _learn_settling(self, beat: Beat) -> None:
        if len(beat.seen) == 1 and beat.seen[0][1] is not None:
            self._believed += 1
            return
        self._believed = 0
        self._prove_first_frame(beat)
        if len(self._proved) >= FIRST_FRAMES_PROVED:
            self._settle_s = max(self._proved[-FIRST_FRAMES_PROVED:])
        else:
            self._learn_from_comparisons(beat)

    def _prove_first_frame(self, beat: Beat) -> None:
        """The second frame shows whether the first one could have been kept."""
        if len(beat.seen) < 2 or (moved_px := beat.seen[1][1]) is None:
            return
        if moved_px > CALM * STILL_PX:
            self.distrust()
            return
        self._proved.append(beat.seen[0][0])
        if len(self._proved) > FIRST_FRAMES_PROVED:
            self._checks += 1
            # Ever a little sooner: a calm frame says that the moment before was calm enough.
            sooner_s = max(0.0, beat.seen[0][0] - 2 * SHORTEN_S * (1 - moved_px / (CALM * STILL_PX)))
            self._proved = [sooner_s] * FIRST_FRAMES_PROVED

    def _learn_from_comparisons(self, beat: Beat) -> None:
        kept_s, moved_px = beat.seen[-1]
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
