"""How far the running scan is, and when it will be done, in a person's time."""

from collections import deque

from scannerd.board.state import CoverageShown, RunningScan
from scannerd.fault_kind import FaultKind
from scannerd.scan.phases import Phase

REMEMBERED_PHOTOS = 8
"""The forecast rests on so many, so that it follows a change of light or a slower table."""


class ScanClock:
    """Measures a scan by the watch on the wall; pauses and questions count for what is elapsed, not for a photo."""

    def __init__(self, scan_id: str, frames_done: int, frames_planned: int, now_s: float) -> None:
        self.scan_id = scan_id
        self.frames_done = frames_done
        self.frames_planned = frames_planned
        self.retakes = 0
        self.question: str | None = None
        self.coverage: CoverageShown | None = None
        self.fault_kind: FaultKind | None = None
        self._index: int | None = None
        self._angle_deg: float | None = None
        self._began_s = now_s
        self._photo_began_s = now_s
        self._paused_at_s: float | None = None
        self._photo_times_s: deque[float] = deque(maxlen=REMEMBERED_PHOTOS)

    def enter(self, phase: Phase, index: int | None, angle_deg: float | None, now_s: float) -> None:
        """Follow the daemon into a phase."""
        if phase is Phase.PAUSED:
            self._paused_at_s = now_s if self._paused_at_s is None else self._paused_at_s
            return
        if self._paused_at_s is not None:
            self._photo_began_s += now_s - self._paused_at_s
            self._paused_at_s = self.question = self.fault_kind = None
        if index is not None:
            self._index, self._angle_deg = index, angle_deg

    def stored(self, frames_done: int, now_s: float) -> None:
        """Count a photo."""
        self._photo_times_s.append(now_s - self._photo_began_s)
        self._photo_began_s = now_s
        self.frames_done = frames_done

    def shown(self, now_s: float) -> RunningScan:
        """Return what people are shown."""
        return RunningScan(
            scan_id=self.scan_id,
            frames_done=self.frames_done,
            frames_planned=self.frames_planned,
            percent=round(100 * self.frames_done / self.frames_planned, 1),
            index=self._index,
            angle_deg=self._angle_deg,
            retakes=self.retakes,
            question=self.question,
            fault_kind=self.fault_kind,
            elapsed_s=round(now_s - self._began_s, 1),
            remaining_s=self._remaining_s(now_s),
            coverage=self.coverage,
        )

    def _remaining_s(self, now_s: float) -> float | None:
        if not self._photo_times_s:
            return None
        photo_s = sum(self._photo_times_s) / len(self._photo_times_s)
        spent_s = min((self._paused_at_s or now_s) - self._photo_began_s, photo_s)
        return round(max(0.0, (self.frames_planned - self.frames_done) * photo_s - spent_s), 1)
