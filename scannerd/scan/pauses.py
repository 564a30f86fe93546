"""Where a run waits: for a person, for the disk, for better times. First everything taken goes to the disk."""

import contextlib
import logging
from collections.abc import Awaitable, Callable

from drivers.protocols import DriverError, LinkBroken
from offload.logs.fields import about
from scannerd.events import Event, ScanPaused
from scannerd.fault_kind import FaultKind
from scannerd.scan.control import RunControl
from scannerd.scan.darkroom import Darkroom
from scannerd.scan.emergency import NO_EMERGENCY, EmergencyMemory
from scannerd.scan.fault_policy import question_of
from scannerd.scan.motor_rest import MotorRest
from scannerd.scan.phases import Phase
from scannerd.scan.station import EnterPhase, Station
from scannerd.store.durable import StoreFull
from scannerd.store.stored_scan import StoredScan

LOG = logging.getLogger(__name__)


MakeRoom = Callable[[], Awaitable[bool]]
"""Removes old scans that are safe elsewhere, where that is wanted; returns whether there is more room now."""


async def no_room() -> bool:
    """Nothing may go."""
    return False


class Pauses:
    """Of one run. Every wait raises RunCancelled or RunStopped when somebody wants the run to end."""

    def __init__(
        self,
        scan: StoredScan,
        station: Station,
        darkroom: Darkroom,
        control: RunControl,
        rest: MotorRest,
        enter: EnterPhase,
        publish: Callable[[Event], None],
        low_voltage: Callable[[], str | None] = lambda: None,
        make_room: MakeRoom = no_room,
    ) -> None:
        """`low_voltage` says why the motor should rest now, None while it need not."""
        self.make_room = make_room
        self.emergency = EmergencyMemory(NO_EMERGENCY)
        """Set where there is an emergency stop."""
        self._scan = scan
        self._station = station
        self._darkroom = darkroom
        self._control = control
        self._rest = rest
        self._enter = enter
        self._publish = publish
        self._low_voltage = low_voltage
        self._tolerates_voltage = False
        self.platter_known = False
        """False at first, and after the current was off: somebody may have turned the platter by hand."""

    async def pause(
        self, question: str | None, kind: FaultKind | None = None, patience_s: float | None = None
    ) -> None:
        """Wait for a person; without limit unless one is given.

        Without a question it is a person's own wish, who may have asked to go on before everything rested.
        """
        await self._come_to_rest()
        if question is None and not self._control.pause_wanted:
            return
        self._announce(question, kind)
        if await self._rest.wait_for_resume(patience_s):
            self.platter_known = False
        if self.emergency.happened:
            # Whoever goes on has released it: a command to go on is refused before.
            self.platter_known = False
            self.emergency.forget()
        self._control.raise_if_over()

    async def let_go(self) -> None:
        """Switch the current off; from then on the platter may be turned by hand."""
        self.platter_known = False
        with contextlib.suppress(DriverError):  # Something else went wrong before; the next move runs into it again.
            await self._station.rest()
        try:
            await self._rest.let_go()
        except LinkBroken as fault:
            # Nobody can switch off what cannot be reached; the pause says what to do about it.
            LOG.warning("the motor could not be released: %s", fault, extra=about(scan=self._scan.plan.scan_id))

    @property
    def has_power(self) -> bool:
        """Whether the motor may turn; a person may want it to, however weak the supply."""
        return self._tolerates_voltage or self._low_voltage() is None

    async def wait_for_voltage(self) -> None:
        """While the supply is too weak nothing moves, unless a person wants it so."""
        reason = self._low_voltage()
        if reason is None:
            self._tolerates_voltage = False
        elif not self._tolerates_voltage:
            over = await self._wait_out(FaultKind.LOW_VOLTAGE, reason, self._has_voltage)
            self._tolerates_voltage = not over

    async def drain(self) -> None:
        """Let what is in hand reach the disk, as far as the disk takes it."""
        with contextlib.suppress(StoreFull):  # the darkroom has said so, and keeps the frame
            while self._darkroom.in_hand:
                self._enter(Phase.STORING)
                await self._darkroom.progress()

    async def wait_for_the_disk(self, reached: Callable[[], bool]) -> None:
        """Wait for the darkroom; while the disk is full, wait for room instead of failing."""
        while not reached():
            self._enter(Phase.STORING)
            try:
                await self._darkroom.progress()
            except StoreFull as full:
                if not await self.make_room():
                    await self._wait_out(FaultKind.DISK_FULL, str(full), self._has_disk_room)
                self._darkroom.go_on()

    async def _come_to_rest(self) -> None:
        await self._station.rest()
        await self.drain()
        self._station.break_rhythm()

    def _announce(self, question: str | None, kind: FaultKind | None) -> None:
        self._control.pause()
        self._enter(Phase.PAUSED)
        scan_id = self._scan.plan.scan_id
        self._publish(ScanPaused(scan_id, question, kind))
        LOG.info("paused%s", f": {question}" if question else "", extra=about(scan=scan_id))

    async def _wait_out(self, kind: FaultKind, message: str, over: Callable[[], Awaitable[bool]]) -> bool:
        """Pause, motor off, until it is over (True) or a person goes on before that (False)."""
        await self._come_to_rest()
        self._announce(question_of(kind, message), kind)
        await self.let_go()
        is_over = await self._rest.wait_until(over)
        if is_over:
            LOG.info("goes on by itself: %s is over", kind, extra=about(scan=self._scan.plan.scan_id))
            self._control.resume()
        self._control.raise_if_over()
        return is_over

    async def _has_voltage(self) -> bool:
        return self._low_voltage() is None

    async def _has_disk_room(self) -> bool:
        """Another scan may be safe by now, too: the service has it, and this one can go on."""
        try:
            self._scan.require_room()
        except StoreFull:
            return await self.make_room()
        return True
