"""The hardware and what occupies it: one piece of work at a time, with a deadline for each phase."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drivers.protocols import DriverError
from scannerd.commands import CommandRefused
from scannerd.config import Config
from scannerd.event_bus import EventBus, Numbered
from scannerd.events import LightChanged, Outcome, PhaseChanged
from scannerd.hardware import Hardware
from scannerd.process.leash import Abandoned
from scannerd.process.watchdog import Lap
from scannerd.scan.camera_lift import CameraLift
from scannerd.scan.deadlines import Deadlines
from scannerd.scan.emergency import EmergencyWatch
from scannerd.scan.pauses import MakeRoom
from scannerd.scan.phases import Phase, PhaseTracker
from scannerd.scan.session import ScanSession, ShowPhoto, Zero
from scannerd.store.durable import StoreFault
from scannerd.store.lift_rest import LiftRest
from scannerd.store.stored_scan import StoredScan
from scannerd.work.answers import Answer, accept, fail
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

FINISH_FRAME_S = 2.2
"""A shutdown waits this long for the frame in hand, then abandons it; it has five seconds in all."""
LET_GO_S = 1.3
"""What abandoned work has to stop the platter, to finish the file in hand and to switch the motor off."""


@dataclass
class Work:
    """What occupies the hardware; `session` when it is a scan."""

    name: str
    task: asyncio.Task[None]
    session: ScanSession | None = None


class Workplace:
    """Settings and devices in force, and the work that has them."""

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        events: EventBus,
        worker: WorkerThread,
        group: asyncio.TaskGroup,
        show: ShowPhoto,
        lift_rest: LiftRest,
        low_voltage: Callable[[], str | None],
        emergency: EmergencyWatch,
    ) -> None:
        """Work runs as a task of `group`; `show` sees every photo of a scan; `lift_rest` knows where a lift rests.

        `low_voltage` says why the motor should rest now; None while it need not.
        """
        self._low_voltage = low_voltage
        self._emergency = emergency
        self._lift_rest = lift_rest
        self.config = config
        self.hardware = hardware
        self._events = events
        self.light_level = config.light.level
        """As the light shines now, where there is one."""
        self.light_colour = config.light.colour
        events.follow(self._mind_light)
        self._worker = worker
        self._group = group
        self._show = show
        self._phases = PhaseTracker()
        self._deadlines = Deadlines(config, hardware.axis, hardware.cameras, hardware.lift)
        self._work: Work | None = None
        self.zero: Zero | None = None
        """Which scan's angles the axis counts in, where it is known."""
        self.interrupted: str | None = None
        """The scan that a fault or a stop ended and that Resume goes on with."""

    def _mind_light(self, numbered: Numbered) -> None:
        if isinstance(numbered.event, LightChanged) and numbered.event.level is not None:
            self.light_level = numbered.event.level
            self.light_colour = numbered.event.colour or self.light_colour

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""
        return self._phases.phase

    @property
    def is_free(self) -> bool:
        """Whether nothing has the hardware."""
        return self._work is None

    @property
    def occupied_by(self) -> str | None:
        """What has the hardware, and what it is doing; None when it is free."""
        return f"{self._work.name} is {self.phase}" if self._work else None

    @property
    def session(self) -> ScanSession | None:
        """The scan that has the table."""
        return self._work.session if self._work else None

    @property
    def lap(self) -> Lap:
        """What runs, for how long, and for how long it may."""
        name = f"{self._work.name}: " if self._work else ""
        deadline_s = self._deadlines.of(self.phase, self.session.scan.plan if self.session else None)
        return Lap(f"{name}{self.phase}", self._phases.age_s, deadline_s)

    @property
    def answer_s(self) -> float:
        """The longest that an answer may take."""
        return self._deadlines.answer_s

    @property
    def _lift(self) -> CameraLift | None:
        axis = self.hardware.lift
        return CameraLift(axis, self._lift_rest, self._worker, self.config.lift.home_deg) if axis else None

    def require_free(self) -> None:
        """Raise CommandRefused while something has the hardware."""
        if self.occupied_by is not None:
            raise CommandRefused(f"busy: {self.occupied_by}; wait for its end, or Cancel it")

    def take(self, config: Config, hardware: Hardware) -> None:
        """Work by these settings, with these devices: a running scan's limits change at its next viewpoint."""
        if hardware.axis is not self.hardware.axis:
            self.zero = None
        self.config, self.hardware = config, hardware
        self._deadlines = Deadlines(config, hardware.axis, hardware.cameras, hardware.lift)
        if self.session is not None:
            self.session.take_quality(config.quality)

    async def run_scan(self, scan: StoredScan, make_room: MakeRoom) -> None:
        """Start a scan; returns once it has begun. `make_room` is asked when the disk is full."""
        scan_id = scan.plan.scan_id
        zero = self.zero if self.zero and self.zero.scan_id == scan_id else None
        publish = self._events.publish
        session = ScanSession(
            scan,
            self.hardware,
            self.config,
            self._worker,
            self._phases,
            publish,
            zero,
            self._show,
            self._lift,
            self._low_voltage,
            make_room,
            self._emergency,
        )
        name = f"scan {scan_id}"
        self._work = Work(name, self._group.create_task(self._run(session), name=name), session)
        # A task that is cancelled before its first step never cleans up after itself.
        await asyncio.sleep(0)

    async def run_errand(
        self, name: str, phase: Phase, errand: Callable[[], Awaitable[None]], answer: Answer
    ) -> None:
        """Do something that is not a scan; returns once it has begun, the answer comes when it is done."""
        self.require_free()
        task = self._group.create_task(self._attend(name, phase, errand, answer), name=name)
        self._work = Work(name, task)
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """End what runs, now, in the middle of a move."""
        if self._work is not None:
            self._work.task.cancel()
            await asyncio.wait({self._work.task})

    async def close(self) -> None:
        """Let the frame in hand be finished, or abandon it when that takes too long.

        Raises Abandoned when not even that ends it: the journal is as it is after the last photo.
        """
        work = self._work
        if work is None:
            return
        if work.session is not None:
            work.session.control.stop()
        await asyncio.wait({work.task}, timeout=FINISH_FRAME_S)
        doing = self.phase
        if not work.task.done():
            LOG.warning("%s: %s is not over after %g s and is abandoned", work.name, doing, FINISH_FRAME_S)
            work.task.cancel()
            await asyncio.wait({work.task}, timeout=LET_GO_S)
        if not work.task.done():
            raise Abandoned(f"{work.name}: {doing} did not end; every photo before it is kept, resume it")

    def hurry(self) -> None:
        """Abandon the frame in hand now."""
        if self._work is not None:
            self._work.task.cancel()

    async def _run(self, session: ScanSession) -> None:
        self.interrupted = None
        ended = None
        try:
            ended = await session.run()
        finally:
            ended = ended or session.ended(Outcome.STOPPED)
            self.zero = session.zero
            self.interrupted = ended.scan_id if ended.resumable else None
            self._be_free()
            self._events.publish(ended)

    async def _attend(self, name: str, phase: Phase, errand: Callable[[], Awaitable[None]], answer: Answer) -> None:
        outcome: Exception | None = None
        try:
            self._phases.enter(phase)
            self._events.publish(PhaseChanged(phase))
            await errand()
        except CommandRefused as refusal:
            outcome = refusal
        except (DriverError, StoreFault) as fault:
            LOG.error("%s failed: %s", name, fault)
            outcome = fault
        except asyncio.CancelledError:
            outcome = CommandRefused(f"{name} was stopped")
            raise
        finally:
            self._be_free()
            fail(answer, outcome) if outcome else accept(answer)

    def _be_free(self) -> None:
        self._work = None
        self._phases.enter(Phase.IDLE)
        self._events.publish(PhaseChanged(Phase.IDLE))
