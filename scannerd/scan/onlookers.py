"""What is learned from a scan's photos beyond their verdicts: the platter's true angle, and how much they show."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from offload.logs.fields import about
from offload.wire.sidecar import FrameSidecar
from scannerd.coverage.coverage import Coverage
from scannerd.coverage.recall import recalled
from scannerd.coverage.report import CoverageReport
from scannerd.quality.look import Look, Remedy, Verdict
from scannerd.scan.slip import MAX_SLIP_DEG, SlipVerdict, SlipWatch
from scannerd.scan.taken import Taken
from scannerd.store.durable import StoreFault
from scannerd.store.scans import StoredScan
from scannerd.store.sidecars import read_sidecar

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sight:
    """A look at a frame, and what it says about the platter."""

    look: Look
    slip: SlipVerdict


class Onlookers:
    """Of one run of one scan. Everything here takes time: call it in the judging thread, frame after frame."""

    def __init__(
        self, scan: StoredScan, max_slip_deg: float = MAX_SLIP_DEG, max_speed_deg_s: float | None = None
    ) -> None:
        """`max_speed_deg_s` is the turntable's, for the words of a warning."""
        self._scan = scan
        self._slips = SlipWatch(scan.plan, max_slip_deg, max_speed_deg_s, viewpoints=lambda: scan.viewpoints)
        self._coverage = Coverage(scan.plan)

    def remember(self) -> None:
        """Learn again from the photos that are there already."""
        frames = [self._scan.frames[index] for index in sorted(self._scan.frames)]
        self._slips.remember(self.sidecars())
        self._coverage = recalled(self._scan.folder, self._scan.plan, frames)

    def recount(self, offset_deg: float) -> None:
        """The platter was found to stand elsewhere than it was taken to."""
        self._slips.recount(offset_deg)

    def see(self, taken: Taken, look: Look) -> Sight:
        """Read the platter's angle off a frame, whatever the verdict; a jam turns it into a retake."""
        arrival, shot = taken.arrival, taken.shot
        still = shot.settled and not shot.believed
        slip = self._slips.see(taken.viewpoint.index, arrival.angle_deg, look.mat, arrival.offset_deg, still=still)
        taken.slip, taken.seen_deg = slip, slip.seen_deg
        if slip.jammed:
            look = Look(
                Verdict.RETAKE,
                f"the platter hardly turned: it stands at {slip.seen_deg:.1f}°, {arrival.angle_deg:.1f}° commanded",
                look.sharpness,
                look.findings,
                Remedy.WAIT,
                look.mat,
                look.mask,
            )
        return Sight(look, slip)

    def count(self, taken: Taken, look: Look) -> CoverageReport | None:
        """Take in a photo that is kept; return what is covered, when that is known anew."""
        angle_deg = taken.arrival.angle_deg if taken.seen_deg is None else taken.seen_deg
        small = taken.shot.frame.small
        return self._coverage.add(taken.viewpoint, angle_deg, look, (small.width_px, small.height_px))

    def sum_up(self) -> CoverageReport | None:
        """Return what all photos show, and what would help; None where nobody can tell."""
        return self._coverage.report(self._scan.viewpoints)

    def sidecars(self) -> Iterable[FrameSidecar]:
        """Yield what was found out about the photos that are there already, in their order."""
        for index in sorted(self._scan.frames):
            try:
                sidecar = read_sidecar(self._scan.folder.path, self._scan.frames[index])
            except StoreFault as fault:
                LOG.warning("says nothing of the platter: %s", fault, extra=about(scan=self._scan.plan.scan_id))
                continue
            if sidecar is not None:
                yield sidecar
