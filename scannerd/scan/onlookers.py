"""What is learned from a scan's photos beyond their verdicts: the platter's true angle, and how much they show."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar
from scannerd.coverage.coverage import Coverage
from scannerd.coverage.recall import recall
from scannerd.coverage.report import CoverageReport
from scannerd.quality.look import Look, Remedy, Verdict
from scannerd.scan.sameness import SamenessWatch
from scannerd.scan.shot import Arrival
from scannerd.scan.slip import MAX_SLIP_DEG, SlipVerdict, SlipWatch
from scannerd.scan.taken import Taken
from scannerd.store.sidecars import readable_sidecars
from scannerd.store.stored_scan import StoredScan


@dataclass(frozen=True)
class Sight:
    """A look at a frame, and what it says about the platter."""

    look: Look
    slip: SlipVerdict
    stands_still: bool = False
    """Without a mat: photos stay the same although the motor turned."""


@dataclass(frozen=True)
class _ReadStop:
    """A stop where some camera read the platter's angle off the mat."""

    arrival: Arrival
    seen_deg: float
    jammed: bool


class Onlookers:
    """Of one run of one scan. Everything here takes time: call it in the judging thread, frame after frame."""

    def __init__(
        self,
        scan: StoredScan,
        max_slip_deg: float = MAX_SLIP_DEG,
        max_speed_deg_s: float | None = None,
        *,
        lifted: bool = False,
    ) -> None:
        """`max_speed_deg_s` is the turntable's, for the words of a warning; `lifted`: a motor moves the camera."""
        self._scan = scan
        self._slips = SlipWatch(
            scan.plan, max_slip_deg, max_speed_deg_s, viewpoints=lambda: scan.viewpoints, lifted=lifted
        )
        self._coverage = Coverage(scan.plan)
        self._sameness: dict[int, SamenessWatch] = {}
        self._read: _ReadStop | None = None
        """The latest one."""
        self.mat_readers: set[int] = set()
        """Cameras whose photos have told where the platter stands."""

    def remember(self, tell: Callable[[FrameEntry, FrameSidecar], None]) -> None:
        """Learn again from the photos that are there already; `tell` hears of each.

        Every sidecar is read once, and none is kept: a scan may have a thousand.
        """
        folder = self._scan.folder.path
        frames = (self._scan.frames[index] for index in sorted(self._scan.frames))
        for frame, sidecar in readable_sidecars(folder, frames):
            self._slips.remember(sidecar)
            if sidecar.mat is not None and sidecar.seen_angle_deg is not None:
                self.mat_readers.add(frame.camera)
            recall(self._coverage, folder, frame, sidecar)
            tell(frame, sidecar)

    def recount(self, offset_deg: float, angle_deg: float) -> None:
        """The platter was found to stand at this angle, its axis's and `offset_deg`."""
        self._slips.recount(offset_deg, angle_deg)

    def see(self, taken: Taken, look: Look) -> Sight:
        """Read the platter's angle off a frame, whatever the verdict; a jam turns it into a retake."""
        arrival, shot = taken.arrival, taken.shot
        still = shot.settled and not shot.believed
        slip = self._slips.see(taken.viewpoint.index, arrival.angle_deg, look.mat, arrival.offset_deg, still=still)
        slip, seen_deg = self._shared(arrival, slip, taken.viewpoint.camera)
        taken.slip, taken.seen_deg = slip, seen_deg
        if slip.jammed:
            says = f"the platter hardly turned: it stands at {seen_deg:.1f}°, {arrival.angle_deg:.1f}° commanded"
            look = replace(look, verdict=Verdict.RETAKE, reason=says, remedy=Remedy.WAIT)
        return Sight(look, slip, slip.unread is not None and self._stands_still(taken))

    def _shared(self, arrival: Arrival, slip: SlipVerdict, camera: int) -> tuple[SlipVerdict, float | None]:
        """Return what holds for this photo, and the platter's angle: all cameras of a stop see the same platter."""
        stop = self._read if self._read is not None and self._read.arrival is arrival else None
        if slip.seen_deg is not None:
            self.mat_readers.add(camera)
            jammed = slip.jammed or (stop is not None and stop.jammed)
            stop = self._read = _ReadStop(arrival, slip.seen_deg, jammed)
        return (slip, None) if stop is None else (replace(slip, jammed=stop.jammed), stop.seen_deg)

    def _stands_still(self, taken: Taken) -> bool:
        viewpoint, moved = taken.viewpoint, taken.arrival.moved and taken.attempt == 1
        if not viewpoint.is_plain:
            return False
        watch = self._sameness.setdefault(viewpoint.camera, SamenessWatch())
        return watch.see((viewpoint.side, viewpoint.ring), taken.shot.frame.small.y, moved=moved)

    def count(self, taken: Taken, look: Look) -> CoverageReport | None:
        """Take in a photo that is kept; return what is covered, when that is known anew."""
        angle_deg = taken.arrival.angle_deg if taken.seen_deg is None else taken.seen_deg
        small = taken.shot.frame.small
        return self._coverage.add(taken.viewpoint, angle_deg, look, (small.width_px, small.height_px))

    def sum_up(self) -> CoverageReport | None:
        """Return what all photos show, and what would help; None where nobody can tell."""
        return self._coverage.report(self._scan.viewpoints)
