"""How long each stage took, and where the time over the floor went."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from scannerd.timing.record import LANES, STAGES, PhotoTiming, ScanTiming


@dataclass(frozen=True)
class StageFigures:
    """One stage over all photos, in seconds."""

    lane: str
    stage: str
    photos: int
    median_s: float
    p95_s: float
    longest_s: float
    sum_s: float
    share: float
    """Of the scan's time; stages that run at the same time add up to more than 1."""


@dataclass(frozen=True)
class OverFloor:
    """Where the time went that motor and sensor did not need, in seconds over the whole scan."""

    waited_s: float
    """The table stood because earlier photos were still on their way to the disk."""
    retaking_s: float
    """Photos that were not good enough, and whatever they made necessary."""
    between_s: float
    """From a photo in memory to the next move: deciding, and people who paused."""
    stood_s: float
    """The table stood while its photo was judged and stored: a scan of before these ran at the same time."""
    slower_s: float
    """Motion, exposure and readout beyond what they take at the limits."""

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.waited_s + self.retaking_s + self.between_s + self.stood_s + self.slower_s


@dataclass(frozen=True)
class ScanFigures:
    """One scan in figures."""

    scan_id: str
    photos: int
    runs: int
    seconds: float
    """From the first move to the last photo in memory, over all runs, without what lay between them."""
    floor_s: float
    stages: tuple[StageFigures, ...]
    over: OverFloor
    overlapped: bool
    untimed: int

    @property
    def ratio(self) -> float:
        """How many times the floor it took."""
        return self.seconds / self.floor_s if self.floor_s > 0 else 1.0


def figures_of(timing: ScanTiming) -> ScanFigures:
    """Return the figures of a scan with at least one photo."""
    runs = [list(photos) for _, photos in groupby(timing.photos, key=lambda photo: photo.run)]
    seconds = sum(_seconds_of(run) for run in runs)
    found = (_stage_figures(stage, timing.photos, seconds) for stage in STAGES)
    return ScanFigures(
        scan_id=timing.scan_id,
        photos=len(timing.photos),
        runs=len(runs),
        seconds=seconds,
        floor_s=sum(photo.floor_s for photo in timing.photos),
        stages=tuple(figures for figures in found if figures is not None),
        over=_over_floor(runs, seconds),
        overlapped=timing.overlapped,
        untimed=timing.untimed,
    )


def quantile(values: Iterable[float], part: float) -> float:
    """Return the value below which this part of at least one value lies, between its two neighbours."""
    in_order = sorted(values)
    place = part * (len(in_order) - 1)
    below = int(place)
    above = min(below + 1, len(in_order) - 1)
    return in_order[below] + (in_order[above] - in_order[below]) * (place - below)


def _seconds_of(run: list[PhotoTiming]) -> float:
    return max(_free_s(photo) for photo in run) - min(photo.began_s for photo in run)


def _free_s(photo: PhotoTiming) -> float:
    """When the table could set out again: once it was taken, or where nothing overlaps, once it was stored."""
    return photo.ended_s if _one_by_one(photo) else photo.taken_s


def _stage_figures(stage: str, photos: Iterable[PhotoTiming], whole_s: float) -> StageFigures | None:
    seconds = [span.seconds for photo in photos for span in photo.spans if span.stage == stage]
    if not seconds:
        return None
    median_s, p95_s, longest_s = (quantile(seconds, part) for part in (0.5, 0.95, 1.0))
    lane = next(lane for lane, stages in LANES.items() if stage in stages)
    whole = sum(seconds)
    return StageFigures(
        lane, stage, len(seconds), median_s, p95_s, longest_s, whole, whole / whole_s if whole_s else 0.0
    )


def _over_floor(runs: list[list[PhotoTiming]], seconds: float) -> OverFloor:
    photos = [photo for run in runs for photo in run]
    waited_s = sum(photo.seconds("wait") for photo in photos)
    stood_s = sum(photo.seconds("judge", "store") for photo in photos if _one_by_one(photo))
    retaking_s = between_s = 0.0
    for run in runs:
        free_s = run[0].began_s
        for photo in run:
            gap_s = max(0.0, photo.began_s - free_s)
            if photo.attempt > 1:
                retaking_s += gap_s
            else:
                between_s += gap_s
            free_s = max(free_s, _free_s(photo))
    known_s = sum(photo.floor_s for photo in photos) + waited_s + retaking_s + between_s + stood_s
    return OverFloor(waited_s, retaking_s, between_s, stood_s, max(0.0, seconds - known_s))


def _one_by_one(photo: PhotoTiming) -> bool:
    return any(span.stage == "store" for span in photo.spans)
