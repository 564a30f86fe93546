"""What the journal says about the time that each photo took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scannerd.store.durable import StoreFault
from scannerd.store.journal import JournalLine, stream
from scannerd.store.layout import ScanFolder

TABLE = ("wait", "move", "settle")
CAMERA = ("capture", "expose", "readout", "copy")
HOLDING = (*TABLE, "capture", "expose", "readout")
"""Until these are over the table cannot leave; a photo is copied while it moves on."""
JUDGE = ("judge", "encode", "hash")
DISK = ("store", "write", "journal")
LANES: dict[str, tuple[str, ...]] = {"table": TABLE, "camera": CAMERA, "judge": JUDGE, "disk": DISK}
"""Four things that work at the same time, each with its stages in the order in which they come.

`wait`: the table stands for nothing, because earlier photos are still on their way to the disk.
"""
STAGES = tuple(stage for stages in LANES.values() for stage in stages)
ONE_BY_ONE = ("wait", "move", "settle", "capture", "judge", "store")
"""Of a journal that says only how long each step took: they were taken one after the other."""
BETWEEN_RUNS_S = 1.0
"""How far apart two runs of a scan are drawn; between them the scanner did something else."""


class NoTimes(StoreFault):
    """No photo of the scan has times, so far."""


@dataclass(frozen=True)
class Span:
    """One stage, in seconds since the scan's first run began; later runs follow the one before."""

    stage: str
    began_s: float
    ended_s: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_s - self.began_s


@dataclass(frozen=True)
class PhotoTiming:
    """One photo that counts, or counted once."""

    index: int
    angle_deg: float
    attempt: int
    run: int
    spans: tuple[Span, ...]
    floor_s: float
    """What its motion at the configured limits, its settling, exposure and readout took at the least."""

    def seconds(self, *stages: str) -> float:
        """Return how long these stages took together."""
        return sum(span.seconds for span in self.spans if span.stage in stages)

    @property
    def began_s(self) -> float:
        """When the table set out for it, or began to wait for that."""
        return min(span.began_s for span in self.spans)

    @property
    def taken_s(self) -> float:
        """When the table was free again."""
        return max((span.ended_s for span in self.spans if span.stage in HOLDING), default=self.began_s)

    @property
    def ended_s(self) -> float:
        """When it counted."""
        return max(span.ended_s for span in self.spans)


@dataclass(frozen=True)
class ScanTiming:
    """All photos of one scan, in the order in which they came to count."""

    scan_id: str
    photos: tuple[PhotoTiming, ...]
    overlapped: bool
    """Whether the journal says when each stage was; else only how long, and they are laid end to end."""
    untimed: int
    """Photos of which the journal tells no times."""


def timing_of(folder: ScanFolder) -> ScanTiming:
    """Read a scan's journal, also while the scan runs. Raises NoTimes, StoreFault."""
    reader = _Reader()
    for line in stream(folder.journal):
        reader.take(line)
    if not reader.photos:
        reason = f"{reader.untimed} photos, none of them with times" if reader.untimed else "no photo yet"
        raise NoTimes(f"scan {folder.scan_id}: {reason}; there is nothing to show until one is stored")
    return ScanTiming(folder.scan_id, tuple(reader.photos), reader.overlapped, reader.untimed)


class _Reader:
    """Goes through the lines, and lays one run behind the other."""

    def __init__(self) -> None:
        self.photos: list[PhotoTiming] = []
        self.overlapped = True
        self.untimed = 0
        self._run = 0
        self._run_begins_s = 0.0
        self._ended_s = 0.0

    def take(self, line: JournalLine) -> None:
        if line.type == "resumed" and self.photos:
            self._run += 1
            self._run_begins_s = self._ended_s + BETWEEN_RUNS_S
        elif line.type == "frame":
            times = line.body.get("times")
            if times is None:
                self.untimed += 1
                return
            try:
                self._take_photo(line.body["frame"], times)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise StoreFault(
                    f"journal entry {line.seq}: its times cannot be understood: {error!r}; restore the file"
                ) from error

    def _take_photo(self, frame: Mapping[str, Any], times: Mapping[str, Any]) -> None:
        spans = self._told(times) if times.get("stages") else self._end_to_end(times)
        self.overlapped &= bool(times.get("stages"))
        if not spans:
            self.untimed += 1
            return
        self.photos.append(
            PhotoTiming(
                index=int(frame["index"]),
                angle_deg=float(frame["angle_deg"]),
                attempt=int(frame.get("attempt", 1)),
                run=self._run,
                spans=spans,
                floor_s=float(times.get("floor_s", 0.0)),
            )
        )
        self._ended_s = max(self._ended_s, self.photos[-1].ended_s)

    def _told(self, times: Mapping[str, Any]) -> tuple[Span, ...]:
        spans = [
            Span(str(stage), self._run_begins_s + float(began_s), self._run_begins_s + float(ended_s))
            for stage, (began_s, ended_s) in times["stages"].items()
        ]
        waited_s = float(times.get("wait_s", 0.0))
        if waited_s > 0:
            set_out_s = min(span.began_s for span in spans)
            spans.append(Span("wait", set_out_s - waited_s, set_out_s))
        return tuple(sorted(spans, key=lambda span: span.began_s))

    def _end_to_end(self, times: Mapping[str, Any]) -> tuple[Span, ...]:
        at_s, spans = max(self._run_begins_s, self._ended_s), []
        for stage in ONE_BY_ONE:
            seconds = float(times.get(f"{stage}_s", 0.0))
            if seconds > 0:
                spans.append(Span(stage, at_s, at_s + seconds))
                at_s += seconds
        return tuple(spans)
