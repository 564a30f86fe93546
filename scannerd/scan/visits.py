"""The way to a viewpoint, its photo, and on to the darkroom; what failed and may be tried again is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from drivers.protocols import DriverError, LinkBroken, Retryable
from offload.logs.fields import about
from scannerd.events import Event, Warned
from scannerd.fault_kind import FaultKind, fault_kind_of
from scannerd.quality.look import Look
from scannerd.scan.control import RunControl
from scannerd.scan.darkroom import Darkroom
from scannerd.scan.fault_policy import HANDLING
from scannerd.scan.pauses import Pauses
from scannerd.scan.plan import Viewpoint
from scannerd.scan.shot import Arrival, Neighbour, Shot
from scannerd.scan.stages import Stages
from scannerd.scan.standing import Standing
from scannerd.scan.station import Station, stay
from scannerd.scan.taken import Taken
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.store.stored_scan import StoredScan

LOG = logging.getLogger(__name__)

LATE_S = 1.5
"""A frame that comes so much later than exposure and readout take is told and counted."""

FindPlatter = Callable[[Viewpoint], Awaitable[None]]


class Visits:
    """Of one run of one scan."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        darkroom: Darkroom,
        control: RunControl,
        publish: Callable[[Event], None],
        standing: Standing,
        find_platter: FindPlatter,
        pauses: Pauses,
    ) -> None:
        """`find_platter` is called before the first move, with the camera where its viewpoint wants it, and before
        the first one after the motor was off.
        """
        self._scan = scan
        self._station = station
        self._darkroom = darkroom
        self._control = control
        self._publish = publish
        self._standing = standing
        self._find_platter = find_platter
        self._pauses = pauses
        self._scan_id = scan.plan.scan_id
        self._began_s = station.clock.now_s()
        self._waited_s = 0.0
        self.retakes = 0

    async def know_platter(self, viewpoint: Viewpoint) -> None:
        """Look where it stands, if a hand may have turned it. Raises DriverError."""
        self._pauses.emergency.raise_if_happened()
        if not self._pauses.platter_known:
            await self._find_platter(viewpoint)
            self._pauses.platter_known = True

    async def visit(self, viewpoint: Viewpoint) -> None:
        """Take the photos of one stop and hand them to the darkroom; their verdicts come later.

        A camera besides the first that fails is tried again by itself, once the others' photos are safe.
        """
        beside = self._beside(viewpoint)
        arrival = await self.go_to(viewpoint, beside=beside)
        try:
            shot, attempt, neighbours = await self._shoot_all(
                viewpoint, arrival, 1, lambda: self._following(viewpoint, beside), beside
            )
        except DriverError as error:
            raise self.fault_at(viewpoint, error) from error
        taken = [Taken(viewpoint, arrival, shot, self.stages(arrival, shot), attempt)]
        for one in neighbours:
            if isinstance(one.outcome, Shot):
                taken.append(Taken(one.viewpoint, arrival, one.outcome, self.stages(arrival, one.outcome)))
        # What the mat says in one photo is known before the others of its stop are judged.
        for each in sorted(taken, key=lambda each: not self._darkroom.reads_mat(each.viewpoint.camera)):
            await self.hand_in(each)
        for one in neighbours:
            if isinstance(one.outcome, DriverError):
                await self.hand_in(await self._alone(one.viewpoint, arrival, one.outcome))

    def _beside(self, viewpoint: Viewpoint) -> list[Viewpoint]:
        """Return what other cameras have yet to take at the same stop, the same way."""
        if not self._scan.plan.cameras:
            return []
        under_way = self._darkroom.in_hand | {viewpoint.index}
        return [
            view for view in self._scan.missing() if view.index not in under_way and _stop(view) == _stop(viewpoint)
        ]

    async def _alone(self, viewpoint: Viewpoint, arrival: Arrival, fault: DriverError) -> Taken:
        """Take again what a camera failed to take beside another one."""
        if not isinstance(fault, Retryable) or self._scan.plan.max_retakes < 1:
            raise self.fault_at(viewpoint, fault) from fault
        self._mind_failure(viewpoint, 1, fault)
        try:
            shot, attempt = await self.shoot(viewpoint, arrival, 2)
        except DriverError as error:
            raise self.fault_at(viewpoint, error) from error
        return Taken(viewpoint, arrival, shot, self.stages(arrival, shot), attempt)

    async def go_to(self, viewpoint: Viewpoint, *, slowly: bool = False, beside: Sequence[Viewpoint] = ()) -> Arrival:
        """Have the platter there, and the cameras locked for what they take there.

        A line that failed is tried again, once it is known where the platter stands.
        """
        left = HANDLING[FaultKind.LINK_BROKEN].tries
        while True:
            try:
                await self.know_platter(viewpoint)
                return await self._station.move_to(viewpoint, slowly=slowly, beside=beside)
            except LinkBroken as broken:
                self._pauses.platter_known = False
                self._station.break_rhythm()
                if left == 0:
                    raise self.fault_at(viewpoint, broken) from broken
                left -= 1
                message = f"{self.where(viewpoint)}: {broken}"
                LOG.warning("tried again: %s", message, extra=self._about(viewpoint))
                self._publish(Warned(message, self._scan_id, FaultKind.LINK_BROKEN))
            except DriverError as error:
                raise self.fault_at(viewpoint, error) from error

    def fault_at(self, viewpoint: Viewpoint, error: DriverError) -> ViewpointFault:
        """Return what a driver said, with the viewpoint's name; where a line broke, the platter has to be found."""
        if isinstance(error, LinkBroken):
            self._pauses.platter_known = False
        return ViewpointFault(f"{self.where(viewpoint)}: {error}", fault_kind_of(error))

    def _following(self, viewpoint: Viewpoint, beside: Sequence[Viewpoint]) -> Viewpoint | None:
        """Return where the table may go while this stop's photos are still copied; None: it stays until then."""
        undisturbed = self._control.undisturbed and self._pauses.has_power
        if self._darkroom.rejected or not (self._darkroom.has_room and undisturbed):
            return None
        under_way = self._darkroom.in_hand | {viewpoint.index} | {view.index for view in beside}
        following = next((view for view in self._scan.missing() if view.index not in under_way), None)
        if following is None or not self._standing.fits(following) or _lock_of(following) != _lock_of(viewpoint):
            return None
        return following

    async def shoot(self, viewpoint: Viewpoint, arrival: Arrival, attempt: int) -> tuple[Shot, int]:
        """Return a shot and which attempt it was: a frame that did not come is asked for again."""
        shot, attempt, _ = await self._shoot_all(viewpoint, arrival, attempt)
        return shot, attempt

    async def _shoot_all(
        self,
        viewpoint: Viewpoint,
        arrival: Arrival,
        attempt: int,
        then: Callable[[], Viewpoint | None] = stay,
        beside: Sequence[Viewpoint] = (),
    ) -> tuple[Shot, int, list[Neighbour]]:
        """The same, with what other cameras took beside."""
        while True:
            try:
                shot, neighbours = await self._station.shoot(viewpoint, arrival, attempt, then, beside)
                self._mind_lateness(viewpoint, shot)
                return shot, attempt, neighbours
            except Retryable as fault:
                # A table that had left already and does not come back is no matter of the camera's.
                if isinstance(fault, LinkBroken) or attempt > self._scan.plan.max_retakes:
                    raise
                self._mind_failure(viewpoint, attempt, fault)
                attempt += 1

    def _mind_failure(self, viewpoint: Viewpoint, attempt: int, fault: DriverError) -> None:
        LOG.warning("attempt %d: %s", attempt, fault, extra=self._about(viewpoint))
        self._station.break_rhythm()
        self.retakes += 1

    def _mind_lateness(self, viewpoint: Viewpoint, shot: Shot) -> None:
        late_s = shot.capture_s - shot.floor_capture_s
        if late_s > LATE_S:
            where = self.where(viewpoint)
            message = f"{where}: the photo came {late_s:.1f} s late; if it happens often, use a better supply"
            LOG.warning("%s", message, extra=self._about(viewpoint))
            self._publish(Warned(message, self._scan_id, FaultKind.FRAME_LATE))

    async def hand_in(self, taken: Taken) -> "asyncio.Future[Look]":
        """Give a frame to the darkroom; return its coming verdict once there is room for the next frame."""
        verdict = self._darkroom.put(taken)
        began_s = self._station.clock.now_s()
        await self._pauses.wait_for_the_disk(lambda: self._darkroom.has_room)
        self._waited_s += self._station.clock.now_s() - began_s
        return verdict

    def stages(self, arrival: Arrival, shot: Shot) -> Stages:
        """Return the times of a frame so far."""
        stages = Stages(self._began_s)
        stages.waited_s, self._waited_s = self._waited_s, 0.0
        if not shot.beside:
            stages.add("move", arrival.began_s, arrival.arrived_s)
            stages.add("settle", shot.waiting_since_s, shot.exposed_s)
        stages.add("expose", shot.exposed_s, shot.closed_s)
        stages.add("readout", shot.closed_s, shot.free_s)
        if shot.done_s > shot.free_s:
            stages.add("copy", shot.free_s, shot.done_s)
        return stages

    def where(self, viewpoint: Viewpoint) -> str:
        """Name a viewpoint to people, and its camera where there are several."""
        return f"frame {viewpoint.index} at {viewpoint.angle_deg:.1f}°{self._scan.plan.named(viewpoint.camera)}"

    def _about(self, viewpoint: Viewpoint) -> dict[str, object]:
        return about(scan=self._scan_id, frame=viewpoint.index)


def _lock_of(viewpoint: Viewpoint) -> tuple[float, float]:
    return viewpoint.exposure_ev, viewpoint.focus_offset_dioptres


def _stop(viewpoint: Viewpoint) -> tuple[float, int, int, int, tuple[float, float]]:
    return viewpoint.angle_deg, viewpoint.side, viewpoint.ring, viewpoint.repeat, _lock_of(viewpoint)
