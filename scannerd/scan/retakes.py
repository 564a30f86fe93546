"""A photo that the gate did not want: taken again from its place, until it is good enough or a person wants it."""

import logging
from dataclasses import asdict

from drivers.protocols import DriverError
from offload.logs.fields import about
from scannerd.fault_kind import FaultKind
from scannerd.quality.gates import Gates
from scannerd.quality.look import Look, Remedy, Verdict
from scannerd.scan.darkroom import Darkroom
from scannerd.scan.eye import LIGHT_FACTORS
from scannerd.scan.pauses import Pauses
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.shot import Arrival
from scannerd.scan.station import EnterPhase, Station
from scannerd.scan.taken import Rejected, Taken
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.scan.visits import Visits
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


class Retakes:
    """Of one run of one scan."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        gates: Gates,
        darkroom: Darkroom,
        storing: WorkerThread,
        enter: EnterPhase,
        pauses: Pauses,
        visits: Visits,
        *,
        ask_a_person: bool,
    ) -> None:
        self._scan = scan
        self._station = station
        self._gates = gates
        self._darkroom = darkroom
        self._storing = storing
        self._enter = enter
        self._pauses = pauses
        self._visits = visits
        self.ask_a_person = ask_a_person
        """False: nobody can be asked, and the last attempt is kept."""
        self._scan_id = scan.plan.scan_id
        self._tolerates_exposure: set[int] = set()
        """Cameras whose light and framing a person wants as they are."""

    async def take(self, rejected: Rejected) -> None:
        """Go back to a viewpoint, and leave it only with a photo that is good enough, or that a person wants."""
        viewpoint, look, attempt = rejected.taken.viewpoint, rejected.look, rejected.taken.attempt
        self._station.break_rhythm()
        if rejected.taken.is_jammed:
            await self._pauses.drain()  # Frames on their way say, too, where the platter stands.
        arrival = await self._visits.go_to(viewpoint, slowly=rejected.taken.is_jammed)
        while True:
            keep_anyway = await self._ask_about(viewpoint, arrival, look, attempt)
            self._visits.retakes += 1
            if arrival.offset_deg != self._station.offset_deg or not self._pauses.platter_known:
                arrival = await self._visits.go_to(viewpoint)  # The rejected photo showed the platter elsewhere.
            try:
                await self._apply(look.remedy, rejected.taken)
                shot, attempt = await self._visits.shoot(viewpoint, arrival, attempt + 1)
            except DriverError as error:
                raise self._visits.fault_at(viewpoint, error) from error
            taken = Taken(viewpoint, arrival, shot, self._visits.stages(arrival, shot), attempt, keep_anyway)
            look = await self._verdict_on(taken)
            if taken.is_jammed:
                raise _jammed(taken, self._visits.where(taken.viewpoint))
            if keep_anyway or look.verdict is Verdict.ACCEPT:
                return

    async def _apply(self, remedy: Remedy, rejected: Taken) -> None:
        """Do what the gate thinks may help; the exposure of a scan that has a photo stays."""
        camera = rejected.viewpoint.camera
        eye = self._station.eyes[camera]
        if remedy in LIGHT_FACTORS:
            await self._pauses.drain()
            if self._scan.has_photo_of(camera) or not eye.exposes_as(rejected.shot.frame):
                return
        settings = await eye.remedy(remedy)
        if settings is not None:
            LOG.info("%s: exposed %.0f µs from now on", remedy, settings.exposure_us, extra=about(scan=self._scan_id))
            await self._storing.run(lambda: self._scan.note_lock(asdict(settings), camera))

    async def _ask_about(self, viewpoint: Viewpoint, arrival: Arrival, look: Look, attempt: int) -> bool:
        """Return whether the next photo is to be kept, whatever the gate says of it."""
        if look.verdict is Verdict.ASK and viewpoint.camera in self._tolerates_exposure:
            return False  # It was taken before a person said so; the gate knows now.
        if look.verdict is not Verdict.ASK and attempt <= self._scan.plan.max_retakes:
            return not self.ask_a_person and attempt == self._scan.plan.max_retakes
        if self.ask_a_person:
            camera = self._scan.plan.named(viewpoint.camera)
            await self._pauses.pause(f"frame {viewpoint.index} at {arrival.angle_deg:.1f}°{camera}: {look.reason}")
        if look.verdict is Verdict.ASK:
            self._gates.of(viewpoint.camera).tolerate_exposure()
            self._tolerates_exposure.add(viewpoint.camera)
        else:
            self._gates.of(viewpoint.camera).tolerate(look.faults)
        return True

    async def _verdict_on(self, taken: Taken) -> Look:
        """Hand a frame in and wait at its place for what the gate says."""
        verdict = await self._visits.hand_in(taken)
        self._enter(Phase.JUDGING, taken.viewpoint.index, taken.viewpoint.angle_deg)
        look = await verdict
        if self._darkroom.rejected and self._darkroom.rejected[-1].taken is taken:
            self._darkroom.rejected.pop()
        return look


def _jammed(taken: Taken, where: str) -> ViewpointFault:
    message = (
        f"{where}: the turntable does not turn: the mat shows {taken.seen_deg:.1f}° after a move to "
        f"{taken.arrival.angle_deg:.1f}° and a slow one; the motor is off"
    )
    return ViewpointFault(message, FaultKind.TURNTABLE_JAMMED)
