"""Runs a plan: every viewpoint that has no photo yet gets one, then the scan is sealed.

The table turns, stops, and turns on; what it took goes to the darkroom, which works while it turns. A frame that the
darkroom rejects brings the table back, and from then on it waits for each verdict before it leaves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from drivers.protocols import DriverError
from offload.logs.fields import about
from scannerd.config import QualitySection
from scannerd.events import Event, Outcome, ScanSealed
from scannerd.fault_kind import FaultKind, fault_kind_of
from scannerd.quality.gates import Gates
from scannerd.scan.control import RunCancelled, RunControl, RunStopped
from scannerd.scan.darkroom import Darkroom
from scannerd.scan.fault_policy import Then, handling_of, question_of
from scannerd.scan.pauses import Pauses
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.retakes import Retakes
from scannerd.scan.standing import Standing
from scannerd.scan.station import EnterPhase, Station
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.scan.visits import Visits
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.durable import StoreFull
from scannerd.store.seal import Seal
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProposalPort:
    """What to do about what the photos do not show."""

    question: Callable[[], Awaitable[str | None]]
    """Sums up; says what more photos would bring, None when nothing is to be asked."""
    patience_s: float
    """So long a person may think; then the scan is complete as it is."""


class ScanRunner:
    """One run over one scan. Pause, cancel and stop act between viewpoints."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        gates: Gates,
        darkroom: Darkroom,
        control: RunControl,
        storing: WorkerThread,
        enter: EnterPhase,
        publish: Callable[[Event], None],
        standing: Standing,
        pauses: Pauses,
        visits: Visits,
        retakes: Retakes,
        *,
        proposal: ProposalPort | None = None,
    ) -> None:
        """`proposal` is asked once all photos are there."""
        self._scan = scan
        self._station = station
        self._gates = gates
        self._darkroom = darkroom
        self._control = control
        self._storing = storing
        self._enter = enter
        self._publish = publish
        self._proposal = proposal
        self._asked_at = 0
        self._scan_id = scan.plan.scan_id
        self._standing = standing
        self._pauses = pauses
        self._visits = visits
        self._retakes = retakes
        self._new_quality: QualitySection | None = None

    @property
    def retakes(self) -> int:
        """How many photos were taken again."""
        return self._visits.retakes

    @property
    def _ask_a_person(self) -> bool:
        return self._retakes.ask_a_person

    def take_quality(self, quality: QualitySection) -> None:
        """Judge by these limits from the next viewpoint on."""
        self._new_quality = quality

    async def run(self) -> Outcome:
        """Take what is missing and seal. Raises ViewpointFault, DriverError, StoreFault; what is stored stays."""
        try:
            async with asyncio.TaskGroup() as group:
                self._station.run_in(group)
                behind = [
                    group.create_task(self._darkroom.judge_frames(), name="judging"),
                    group.create_task(self._darkroom.store_frames(), name="storing"),
                    group.create_task(self._darkroom.keep_raws(), name="raws"),
                ]
                outcome = await self._front()
                for task in behind:
                    task.cancel()
        except BaseExceptionGroup as faults:
            # The first fault cancelled everything else.
            raise faults.exceptions[0] from None
        return outcome

    async def _front(self) -> Outcome:
        """Everything that happens at the table."""
        try:
            await self._take_all()
            while not await self._seal():
                await self._take_all()
        except RunCancelled:
            await self._pauses.drain()
            await self._storing.run(lambda: self._scan.note("cancelled"))
            return Outcome.CANCELLED
        except RunStopped:
            await self._pauses.drain()
            return Outcome.STOPPED
        except (DriverError, ViewpointFault):
            # What was taken before is worth keeping.
            await self._pauses.drain()
            raise
        return Outcome.COMPLETED

    async def _take_all(self) -> None:
        while True:
            await self._boundary()
            try:
                if not await self._take_one():
                    return
            except (DriverError, ViewpointFault) as fault:
                await self._stand_by(fault)

    async def _take_one(self) -> bool:
        """Do what is next at the table; return whether there was anything to do."""
        self._pauses.emergency.raise_if_happened()
        if self._darkroom.rejected:
            await self._retakes.take(self._darkroom.rejected.popleft())
        elif (viewpoint := self._next()) is not None:
            await self._stand_for(viewpoint)
            await self._boundary()
            await self._visits.visit(viewpoint)
        elif self._darkroom.in_hand:
            await self._pauses.wait_for_the_disk(lambda: not self._darkroom.in_hand)
        else:
            return await self._propose()
        return True

    async def _stand_by(self, fault: DriverError | ViewpointFault) -> None:
        """Motor off at once; then ask a person, or raise the fault again where that is of no use."""
        await self._pauses.let_go()
        if fault_kind_of(fault) is FaultKind.POSITION_LOST and (emergency := self._pauses.emergency.fault()):
            fault = emergency
        kind = fault_kind_of(fault)
        if handling_of(kind, ask_a_person=self._ask_a_person).then is not Then.ASK:
            raise fault
        LOG.error("%s", fault, extra=about(scan=self._scan_id))
        await self._pauses.pause(question_of(kind, str(fault)), kind)

    async def _propose(self) -> bool:
        """Ask once whether what no photo shows should be photographed; return whether there is more to do.

        The object still lies where it lay: a moment later nobody could add to the scan.
        """
        planned = len(self._scan.viewpoints)
        if self._proposal is None or self._asked_at == planned:
            return False
        self._asked_at = planned
        question = await self._proposal.question()
        if question is not None and self._ask_a_person:
            await self._pauses.pause(question, patience_s=self._proposal.patience_s)
        return len(self._scan.viewpoints) > planned

    def _next(self) -> Viewpoint | None:
        """Return where to go now, None when every photo is there or in hand."""
        again = self._control.next_retake()
        if again is not None:
            return self._scan.viewpoints[again]
        in_hand = self._darkroom.in_hand
        return next((view for view in self._scan.missing() if view.index not in in_hand), None)

    async def _stand_for(self, viewpoint: Viewpoint) -> None:
        """Have camera and object where a viewpoint wants them; a person is asked for what no motor does."""
        if not self._standing.fits(viewpoint):
            await self._finish_here()
            self._station.break_rhythm()
            question = self._standing.question(viewpoint)
            if question is not None and self._ask_a_person:
                await self._pauses.pause(question)
            self._enter(Phase.MOVING, viewpoint.index, viewpoint.angle_deg)
            await self._standing.reach(viewpoint, asked=self._ask_a_person)
        else:
            await self._standing.reach(viewpoint, asked=False)
        await self._visits.know_platter(viewpoint)

    async def _finish_here(self) -> None:
        """Leave nothing behind that may have to be taken again from where the camera stands."""
        await self._pauses.wait_for_the_disk(lambda: not self._darkroom.in_hand)
        while self._darkroom.rejected:
            await self._retakes.take(self._darkroom.rejected.popleft())

    async def _boundary(self) -> None:
        self._control.raise_if_over()
        if self._control.pause_wanted:
            await self._pauses.pause(None)
        await self._pauses.wait_for_voltage()
        if self._new_quality is not None:
            self._gates.take(self._new_quality)
            self._retakes.ask_a_person = self._new_quality.ask_a_person
            self._new_quality = None

    async def _seal(self) -> bool:
        """Return False, and nothing is sealed, when photos were wanted at the last moment, or a person made room."""
        self._enter(Phase.SEALING)
        try:
            seal = await self._storing.run(self._write_seal)
        except StoreFull as full:
            if not await self._pauses.make_room():
                await self._pauses.pause(str(full))
            return False
        if seal is None:
            return False
        LOG.info("sealed: %d photos, %.1f MB", seal.frames, seal.total_bytes / 1e6, extra=about(scan=self._scan_id))
        self._publish(ScanSealed(self._scan_id, seal.manifest_sha256, seal.frames, seal.total_bytes))
        return True

    def _write_seal(self) -> Seal | None:
        """In the storing thread. The sheet comes first: whoever sees the seal sees everything."""
        if not self._scan.complete:
            return None
        write_contact_sheet(self._scan.folder, self._scan.frames)
        return self._scan.seal(datetime.now(UTC))
