"""The way to a viewpoint, its photo, and on to the darkroom; what failed and may be tried again is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

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
from scannerd.scan.stages import Stages
from scannerd.scan.standing import Standing
from scannerd.scan.station import Arrival, Shot, Station, stay
from scannerd.scan.taken import Taken
from scannerd.scan.viewpoint_fault import ViewpointFault
from scannerd.store.scans import StoredScan

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
        """Take the photo of one viewpoint and hand it to the darkroom; its verdict comes later."""
        arrival, shot, attempt = await self._reach(viewpoint)
        await self.hand_in(Taken(viewpoint, arrival, shot, self.stages(arrival, shot), attempt))

    async def _reach(self, viewpoint: Viewpoint) -> tuple[Arrival, Shot, int]:
        arrival = await self.go_to(viewpoint)
        try:
            shot, attempt = await self.shoot(viewpoint, arrival, 1, lambda: self._following(viewpoint))
        except DriverError as error:
            raise self.fault_at(viewpoint, error) from error
        return arrival, shot, attempt

    async def go_to(self, viewpoint: Viewpoint, *, slowly: bool = False) -> Arrival:
        """Have the platter there. A line that failed is tried again, once it is known where the platter stands."""
        left = HANDLING[FaultKind.LINK_BROKEN].tries
        while True:
            try:
                await self.know_platter(viewpoint)
                return await self._station.move_to(viewpoint, slowly=slowly)
            except LinkBroken as broken:
                self._pauses.platter_known = False
                self._station.break_rhythm()
                if left == 0:
                    raise self.fault_at(viewpoint, broken) from broken
                left -= 1
                message = f"{where(viewpoint)}: {broken}"
                LOG.warning("tried again: %s", message, extra=self._about(viewpoint))
                self._publish(Warned(message, self._scan_id, FaultKind.LINK_BROKEN))
            except DriverError as error:
                raise self.fault_at(viewpoint, error) from error

    def fault_at(self, viewpoint: Viewpoint, error: DriverError) -> ViewpointFault:
        """Return what a driver said, with the viewpoint's name; where a line broke, the platter has to be found."""
        if isinstance(error, LinkBroken):
            self._pauses.platter_known = False
        return ViewpointFault(f"{where(viewpoint)}: {error}", fault_kind_of(error))

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

    async def shoot(
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
                f"{where(viewpoint)}: the photo came {late_s:.1f} s late; if it happens often, use a better supply"
            )
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
        stages.add("move", arrival.began_s, arrival.arrived_s)
        stages.add("settle", shot.waiting_since_s, shot.exposed_s)
        stages.add("expose", shot.exposed_s, shot.closed_s)
        stages.add("readout", shot.closed_s, shot.free_s)
        if shot.done_s > shot.free_s:
            stages.add("copy", shot.free_s, shot.done_s)
        return stages

    def _about(self, viewpoint: Viewpoint) -> dict[str, object]:
        return about(scan=self._scan_id, frame=viewpoint.index)


def _lock_of(viewpoint: Viewpoint) -> tuple[float, float]:
    return viewpoint.exposure_ev, viewpoint.focus_offset_dioptres


def where(viewpoint: Viewpoint) -> str:
    """Name a viewpoint to people."""
    return f"frame {viewpoint.index} at {viewpoint.angle_deg:.1f}°"
