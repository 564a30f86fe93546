"""Runs a plan: every viewpoint that has no photo yet gets one, then the scan is sealed.

The table turns, stops, and turns on; what it took goes to the darkroom, which works while it turns. A frame that the
darkroom rejects brings the table back, and from then on it waits for each verdict before it leaves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from drivers.protocols import DriverError, LinkBroken, Retryable
from offload.logs.fields import about
from scannerd.config import QualitySection
from scannerd.events import Event, Outcome, ScanSealed, Warned
from scannerd.fault_kind import FaultKind, fault_kind_of
from scannerd.quality.gate import Gate
from scannerd.quality.look import Look, Remedy, Verdict
from scannerd.scan.control import RunCancelled, RunControl, RunStopped
from scannerd.scan.darkroom import Darkroom
from scannerd.scan.fault_policy import HANDLING, Then, handling_of, question_of
from scannerd.scan.pauses import Pauses
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint
from scannerd.scan.stages import Stages
from scannerd.scan.standing import Standing
from scannerd.scan.station import LIGHT_FACTORS, Arrival, EnterPhase, Shot, Station, stay
from scannerd.scan.taken import Rejected, Taken
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.durable import StoreFull
from scannerd.store.scans import StoredScan
from scannerd.store.seal import Seal
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

LATE_S = 1.5
"""A frame that comes so much later than exposure and readout take is told and counted."""


FindPlatter = Callable[[Viewpoint], Awaitable[None]]


@dataclass(frozen=True)
class ProposalPort:
    """What to do about what the photos do not show."""

    question: Callable[[], Awaitable[str | None]]
    """Sums up; says what more photos would bring, None when nothing is to be asked."""
    patience_s: float
    """So long a person may think; then the scan is complete as it is."""


class ViewpointFault(RuntimeError):
    """No photo could be taken from one viewpoint. The message names it and what the driver said."""

    def __init__(self, message: str, kind: FaultKind) -> None:
        """`kind` is the driver's."""
        super().__init__(message)
        self.kind = kind


class ScanRunner:
    """One run over one scan. Pause, cancel and stop act between viewpoints."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        gate: Gate,
        darkroom: Darkroom,
        control: RunControl,
        storing: WorkerThread,
        enter: EnterPhase,
        publish: Callable[[Event], None],
        standing: Standing,
        find_platter: FindPlatter,
        pauses: Pauses,
        *,
        ask_a_person: bool = True,
        proposal: ProposalPort | None = None,
    ) -> None:
        """`find_platter` is called before the first move, with the camera where its viewpoint wants it, and before
        the first one after the motor was off.

        `proposal` is asked once all photos are there.
        """
        self._scan = scan
        self._station = station
        self._gate = gate
        self._darkroom = darkroom
        self._control = control
        self._storing = storing
        self._enter = enter
        self._publish = publish
        self._ask_a_person = ask_a_person
        self._proposal = proposal
        self._asked_at = 0
        self._scan_id = scan.plan.scan_id
        self._standing = standing
        self._find_platter = find_platter
        self._pauses = pauses
        self._new_quality: QualitySection | None = None
        self._began_s = station.clock.now_s()
        self._waited_s = 0.0
        self._tolerates_exposure = False
        self.retakes = 0

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
            await self._take_again(self._darkroom.rejected.popleft())
        elif (viewpoint := self._next()) is not None:
            await self._stand_for(viewpoint)
            await self._boundary()
            await self._visit(viewpoint)
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
        await self._know_platter(viewpoint)

    async def _know_platter(self, viewpoint: Viewpoint) -> None:
        self._pauses.emergency.raise_if_happened()
        if not self._pauses.platter_known:
            await self._find_platter(viewpoint)
            self._pauses.platter_known = True

    async def _finish_here(self) -> None:
        """Leave nothing behind that may have to be taken again from where the camera stands."""
        await self._pauses.wait_for_the_disk(lambda: not self._darkroom.in_hand)
        while self._darkroom.rejected:
            await self._take_again(self._darkroom.rejected.popleft())

    async def _boundary(self) -> None:
        self._control.raise_if_over()
        if self._control.pause_wanted:
            await self._pauses.pause(None)
        await self._pauses.wait_for_voltage()
        if self._new_quality is not None:
            self._gate.take(self._new_quality)
            self._ask_a_person = self._new_quality.ask_a_person
            self._new_quality = None

    async def _visit(self, viewpoint: Viewpoint) -> None:
        """Take the photo of one viewpoint and hand it to the darkroom; its verdict comes later."""
        arrival, shot, attempt = await self._reach(viewpoint)
        await self._hand_in(Taken(viewpoint, arrival, shot, self._stages(arrival, shot), attempt))

    async def _reach(self, viewpoint: Viewpoint) -> tuple[Arrival, Shot, int]:
        arrival = await self._go_to(viewpoint)
        try:
            shot, attempt = await self._shoot(viewpoint, arrival, 1, lambda: self._following(viewpoint))
        except DriverError as error:
            raise self._fault_at(viewpoint, error) from error
        return arrival, shot, attempt

    async def _go_to(self, viewpoint: Viewpoint, *, slowly: bool = False) -> Arrival:
        """Have the platter there. A line that failed is tried again, once it is known where the platter stands."""
        left = HANDLING[FaultKind.LINK_BROKEN].tries
        while True:
            try:
                await self._know_platter(viewpoint)
                return await self._station.move_to(viewpoint, slowly=slowly)
            except LinkBroken as broken:
                self._pauses.platter_known = False
                self._station.break_rhythm()
                if left == 0:
                    raise self._fault_at(viewpoint, broken) from broken
                left -= 1
                message = f"{_where(viewpoint)}: {broken}"
                LOG.warning("tried again: %s", message, extra=self._about(viewpoint))
                self._publish(Warned(message, self._scan_id, FaultKind.LINK_BROKEN))
            except DriverError as error:
                raise self._fault_at(viewpoint, error) from error

    def _fault_at(self, viewpoint: Viewpoint, error: DriverError) -> ViewpointFault:
        if isinstance(error, LinkBroken):
            self._pauses.platter_known = False
        return ViewpointFault(f"{_where(viewpoint)}: {error}", fault_kind_of(error))

    def _following(self, viewpoint: Viewpoint) -> Viewpoint | None:
        """Return where the table may go while this viewpoint's photo is still copied; None: it stays until then."""
        undisturbed = self._control.undisturbed and self._pauses.has_power
        if self._darkroom.rejected or not (self._darkroom.has_room and undisturbed):
            return None
        under_way = self._darkroom.in_hand | {viewpoint.index}
        following = next((view for view in self._scan.missing() if view.index not in under_way), None)
        if following is None or not self._standing.fits(following) or _lock_of(following) != _lock_of(viewpoint):
            return None
        return following

    async def _shoot(
        self, viewpoint: Viewpoint, arrival: Arrival, attempt: int, then: Callable[[], Viewpoint | None] = stay
    ) -> tuple[Shot, int]:
        """Return a shot and which attempt it was: a frame that did not come is asked for again."""
        while True:
            try:
                shot = await self._station.shoot(viewpoint, arrival, attempt, then)
                self._mind_lateness(viewpoint, shot)
                return shot, attempt
            except Retryable as fault:
                # A table that had left already and does not come back is no matter of the camera's.
                if isinstance(fault, LinkBroken) or attempt > self._scan.plan.max_retakes:
                    raise
                LOG.warning("attempt %d: %s", attempt, fault, extra=self._about(viewpoint))
                self._station.break_rhythm()
                self.retakes += 1
                attempt += 1

    def _mind_lateness(self, viewpoint: Viewpoint, shot: Shot) -> None:
        late_s = shot.capture_s - shot.floor_capture_s
        if late_s > LATE_S:
            message = (
                f"{_where(viewpoint)}: the photo came {late_s:.1f} s late; if it happens often, use a better supply"
            )
            LOG.warning("%s", message, extra=self._about(viewpoint))
            self._publish(Warned(message, self._scan_id, FaultKind.FRAME_LATE))

    async def _take_again(self, rejected: Rejected) -> None:
        """Go back to a viewpoint, and leave it only with a photo that is good enough, or that a person wants."""
        viewpoint, look, attempt = rejected.taken.viewpoint, rejected.look, rejected.taken.attempt
        self._station.break_rhythm()
        if rejected.taken.is_jammed:
            await self._pauses.drain()  # Frames on their way say, too, where the platter stands.
        arrival = await self._go_to(viewpoint, slowly=rejected.taken.is_jammed)
        while True:
            keep_anyway = await self._ask_about(viewpoint, arrival, look, attempt)
            self.retakes += 1
            if arrival.offset_deg != self._station.offset_deg or not self._pauses.platter_known:
                arrival = await self._go_to(viewpoint)  # The rejected photo showed the platter elsewhere.
            try:
                await self._apply(look.remedy, rejected.taken)
                shot, attempt = await self._shoot(viewpoint, arrival, attempt + 1)
            except DriverError as error:
                raise self._fault_at(viewpoint, error) from error
            taken = Taken(viewpoint, arrival, shot, self._stages(arrival, shot), attempt, keep_anyway)
            look = await self._verdict_on(taken)
            if taken.is_jammed:
                raise _jammed(taken)
            if keep_anyway or look.verdict is Verdict.ACCEPT:
                return

    async def _apply(self, remedy: Remedy, rejected: Taken) -> None:
        """Do what the gate thinks may help; the exposure of a scan that has a photo stays."""
        if remedy in LIGHT_FACTORS:
            await self._pauses.drain()
            if self._scan.frames or not self._station.exposes_as(rejected.shot):
                return
        settings = await self._station.remedy(remedy)
        if settings is not None:
            LOG.info("%s: exposed %.0f µs from now on", remedy, settings.exposure_us, extra=about(scan=self._scan_id))
            await self._storing.run(lambda: self._scan.note("locked", settings=asdict(settings)))

    async def _ask_about(self, viewpoint: Viewpoint, arrival: Arrival, look: Look, attempt: int) -> bool:
        """Return whether the next photo is to be kept, whatever the gate says of it."""
        if look.verdict is Verdict.ASK and self._tolerates_exposure:
            return False  # It was taken before a person said so; the gate knows now.
        if look.verdict is not Verdict.ASK and attempt <= self._scan.plan.max_retakes:
            return not self._ask_a_person and attempt == self._scan.plan.max_retakes
        if self._ask_a_person:
            await self._pauses.pause(f"frame {viewpoint.index} at {arrival.angle_deg:.1f}°: {look.reason}")
        if look.verdict is Verdict.ASK:
            self._gate.tolerate_exposure()
            self._tolerates_exposure = True
        else:
            self._gate.tolerate(look.faults)
        return True

    async def _verdict_on(self, taken: Taken) -> Look:
        """Hand a frame in and wait at its place for what the gate says."""
        verdict = await self._hand_in(taken)
        self._enter(Phase.JUDGING, taken.viewpoint.index, taken.viewpoint.angle_deg)
        look = await verdict
        if self._darkroom.rejected and self._darkroom.rejected[-1].taken is taken:
            self._darkroom.rejected.pop()
        return look

    async def _hand_in(self, taken: Taken) -> "asyncio.Future[Look]":
        """Give a frame to the darkroom; return its coming verdict once there is room for the next frame."""
        verdict = self._darkroom.put(taken)
        began_s = self._station.clock.now_s()
        await self._pauses.wait_for_the_disk(lambda: self._darkroom.has_room)
        self._waited_s += self._station.clock.now_s() - began_s
        return verdict

    def _stages(self, arrival: Arrival, shot: Shot) -> Stages:
        stages = Stages(self._began_s)
        stages.waited_s, self._waited_s = self._waited_s, 0.0
        stages.add("move", arrival.began_s, arrival.arrived_s)
        stages.add("settle", shot.waiting_since_s, shot.exposed_s)
        stages.add("expose", shot.exposed_s, shot.closed_s)
        stages.add("readout", shot.closed_s, shot.free_s)
        if shot.done_s > shot.free_s:
            stages.add("copy", shot.free_s, shot.done_s)
        return stages

    def _about(self, viewpoint: Viewpoint) -> dict[str, object]:
        return about(scan=self._scan_id, frame=viewpoint.index)

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


def _jammed(taken: Taken) -> ViewpointFault:
    seen_deg = taken.seen_deg if taken.seen_deg is not None else 0.0
    message = (
        f"{_where(taken.viewpoint)}: the turntable does not turn: the mat shows {seen_deg:.1f}° after a move to "
        f"{taken.arrival.angle_deg:.1f}° and a slow one; the motor is off"
    )
    return ViewpointFault(message, FaultKind.TURNTABLE_JAMMED)


def _lock_of(viewpoint: Viewpoint) -> tuple[float, float]:
    return viewpoint.exposure_ev, viewpoint.focus_offset_dioptres


def _where(viewpoint: Viewpoint) -> str:
    return f"frame {viewpoint.index} at {viewpoint.angle_deg:.1f}°"
