"""Where commands are handed in, and the one place that decides whether they make sense now."""

import asyncio
import logging
from collections.abc import Callable

from drivers.protocols import DriverError
from offload.logs.fields import about
from scannerd.commands import (
    Accepted,
    Cancel,
    CaptureBackground,
    Command,
    CommandRefused,
    DeleteScan,
    ExtendScan,
    Extension,
    Home,
    Jog,
    Pause,
    RestoreScan,
    Resume,
    ResumeScan,
    Retake,
    SendFirst,
    SetLight,
    StartScan,
    Stop,
    Wishes,
)
from scannerd.config import Config
from scannerd.event_bus import EventBus
from scannerd.events import RetakeWanted, Warned
from scannerd.hardware import Hardware
from scannerd.process.watchdog import Lap
from scannerd.scan.emergency import NO_EMERGENCY, EmergencyWatch
from scannerd.scan.phases import Phase
from scannerd.scan.plan import ScanPlan
from scannerd.scan.session import ShowPhoto
from scannerd.store.durable import StoreFault
from scannerd.store.lift_rest import LiftRest
from scannerd.store.scans import ScanStore
from scannerd.store.space import photo_bytes, scan_bytes
from scannerd.store.stored_scan import StoredScan
from scannerd.work.answers import Answer, accept, fail
from scannerd.work.archive import Archive, note_retake
from scannerd.work.errands import Errands
from scannerd.work.planning import Planning
from scannerd.work.turns import Turn, Turns, refuse
from scannerd.work.workplace import Workplace
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


MOVES = (StartScan, ResumeScan, Resume, Home, Jog)
"""What would turn a motor, at once or soon."""


class Desk:
    """Takes commands in order, and lets one piece of work at a time have the hardware."""

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        store: ScanStore,
        events: EventBus,
        worker: WorkerThread,
        group: asyncio.TaskGroup,
        show: ShowPhoto = lambda small, index, angle_deg, camera: None,
        low_voltage: Callable[[], str | None] = lambda: None,
        emergency: EmergencyWatch = NO_EMERGENCY,
    ) -> None:
        """Work runs as a task of `group`; `show` sees every photo; `low_voltage` says why the motor should rest."""
        self._emergency = emergency
        self._store = store
        self._events = events
        self._worker = worker
        lift_rest = LiftRest(store.layout.lift_rest)
        self._workplace = Workplace(config, hardware, events, worker, group, show, lift_rest, low_voltage, emergency)
        self._archive = Archive(store, worker, events)
        self._planning = Planning(self._workplace, store, self._archive.trash)
        self._errands = Errands(self._workplace, store.layout, worker, events)
        self.turns = Turns()
        """Where whatever must not happen beside a command is handed in, too."""

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""
        return self._workplace.phase

    @property
    def interrupted(self) -> str | None:
        """The scan that a fault or a stop ended and that Resume goes on with."""
        return self._workplace.interrupted

    @property
    def is_open(self) -> bool:
        """Whether commands are taken."""
        return self.turns.is_open

    @property
    def camera_is_free(self) -> bool:
        """Nothing is under way that needs the camera, and the desk is open."""
        return self.turns.is_open and self._workplace.is_free

    @property
    def running(self) -> str | None:
        """The scan that has the table."""
        session = self._workplace.session
        return session.scan.plan.scan_id if session else None

    @property
    def latest_photo(self) -> int | None:
        """The viewpoint of the running scan's latest photo; None before there is one."""
        session = self._workplace.session
        frames = session.scan.frames.values() if session else ()
        latest = max(frames, key=lambda frame: frame.taken_at, default=None)
        return latest.index if latest is not None else None

    @property
    def occupied_by(self) -> str | None:
        """What has the hardware, and what it is doing; None when it is free."""
        return self._workplace.occupied_by

    @property
    def lap(self) -> Lap:
        """What runs, for how long, and for how long it may."""
        return self._workplace.lap

    @property
    def answer_s(self) -> float:
        """The longest that an answer may take."""
        return self._workplace.answer_s

    async def submit(self, command: Command) -> Accepted:
        """Return once the command is under way; Home and CaptureBackground once they are done.

        Raises CommandRefused when it makes no sense now, StoreFault (no space, unknown scan) or DriverError when it
        ran into something.
        """
        name = type(command).__name__
        answer: Answer = asyncio.get_running_loop().create_future()
        self.turns.put(Turn(name, lambda: self._answer(command, answer), answer))
        return await answer

    def plan(self, scan_id: str, wishes: Wishes) -> ScanPlan:
        """Return what a scan would be. Raises CommandRefused, DriverError."""
        return self._planning.plan(scan_id, wishes)

    def take(self, config: Config, hardware: Hardware) -> None:
        """Work by these settings, with these devices: a running scan's limits change at its next viewpoint."""
        self._workplace.take(config, hardware)

    async def ping(self) -> None:
        """Return once the desk has answered in its own order; at once when it is closed."""
        await self.turns.ping()

    async def obey(self) -> None:
        """Carry out commands, one after the other, until cancelled."""
        await self.turns.serve()

    async def close(self) -> None:
        """Take no more commands; let the frame in hand be finished, or abandon it when that takes too long.

        Raises Abandoned when not even that ends it: the journal is as it is after the last photo.
        """
        self.turns.close()
        await self._workplace.close()

    def hurry(self) -> None:
        """Abandon the frame in hand now; only while the desk closes."""
        if not self.turns.is_open:
            self._workplace.hurry()

    async def _answer(self, command: Command, answer: Answer) -> None:
        try:
            await self._carry_out(command, answer)
        except (CommandRefused, StoreFault, DriverError) as refusal:
            fail(answer, refusal)
        except asyncio.CancelledError:
            refuse(answer, type(command).__name__)
            raise
        except Exception as error:
            LOG.exception("%s: fault inside the daemon", type(command).__name__)
            fail(answer, RuntimeError(f"{type(command).__name__}: fault inside the daemon: {error!r}; see the log"))

    async def _carry_out(self, command: Command, answer: Answer) -> None:
        self.turns.require_open(type(command).__name__)
        errands, run_errand = self._errands, self._workplace.run_errand
        if isinstance(command, MOVES) and self._emergency.pushed:
            name = type(command).__name__
            raise CommandRefused(
                f"{name}: the emergency stop is pushed, or its wire is broken; release it, then {name} again"
            )
        match command:
            case StartScan():
                await self._start_scan(command, answer)
            case ResumeScan(scan_id):
                await self._resume_scan(scan_id, answer)
            case Resume(scan_id) if self._workplace.is_free and (scan_id or self.interrupted):
                await self._resume_scan(scan_id or str(self.interrupted), answer)
            case Cancel(scan_id) if self._workplace.is_free and (scan_id or self.interrupted):
                await self._give_up(scan_id or str(self.interrupted), answer)
            case Pause() | Resume() | Cancel():
                self._steer(command, answer)
            case Retake(index, scan_id):
                await self._retake(index, scan_id, answer)
            case ExtendScan(scan_id=scan_id):
                await self._extend(command, scan_id, answer)
            case Stop():
                await self._workplace.stop()
                accept(answer, self.interrupted)
            case Home():
                await run_errand("homing", Phase.PREPARING, errands.home, answer)
            case Jog(delta_deg):
                await run_errand("jogging", Phase.JOGGING, lambda: errands.jog(delta_deg), answer)
            case CaptureBackground():
                name = "taking the background"
                await run_errand(name, Phase.BACKGROUND, errands.photograph_background, answer)
            case SetLight(level, colour):
                errands.set_light(level, colour)
                accept(answer)
            case DeleteScan(scan_id):
                await self._delete(scan_id, answer)
            case RestoreScan(scan_id):
                await self._archive.restore(scan_id)
                accept(answer, scan_id)
            case SendFirst(scan_id):
                await self._send_first(scan_id, answer)

    async def _start_scan(self, command: StartScan, answer: Answer) -> None:
        self._workplace.require_free()
        plan = self._planning.new_plan(command)
        needed_bytes = scan_bytes(plan, len(plan.viewpoints))
        await self._archive.make_room(plan.scan_id, needed_bytes, self._workplace.config.store)
        scan, remark = await self._worker.run(lambda: self._store.begin(plan))
        if remark is not None:
            LOG.warning("%s", remark, extra=about(scan=plan.scan_id))
            self._events.publish(Warned(remark, plan.scan_id))
        await self._workplace.run_scan(scan, lambda: self._make_room_within(scan))
        accept(answer, plan.scan_id)

    async def _resume_scan(self, scan_id: str, answer: Answer) -> None:
        self._workplace.require_free()
        scan = await self._worker.run(lambda: self._store.open(scan_id))
        try:
            if not scan.sealed:
                needed_bytes = scan_bytes(scan.plan, len(scan.missing()))
                await self._archive.make_room(scan_id, needed_bytes, self._workplace.config.store)
            self._planning.require_resumable(scan)
        except (CommandRefused, StoreFault):
            scan.close()
            raise
        await self._workplace.run_scan(scan, lambda: self._make_room_within(scan))
        accept(answer, scan_id)

    async def _make_room_within(self, scan: StoredScan) -> bool:
        """Let safe scans go for the rest of a scan that ran into a full disk, or at least for its next photo."""
        scan_id, limits = scan.plan.scan_id, self._workplace.config.store
        for photos in dict.fromkeys((max(1, len(scan.missing())), 1)):
            try:
                if await self._archive.make_room(scan_id, photos * photo_bytes(scan.plan), limits):
                    return True
            except StoreFault as fault:
                LOG.warning("no old scan could make room: %s", fault, extra=about(scan=scan_id))
                return False
        return False

    async def _give_up(self, scan_id: str, answer: Answer) -> None:
        await self._archive.give_up(scan_id)
        self._forget(scan_id)
        accept(answer, scan_id)

    async def _delete(self, scan_id: str, answer: Answer) -> None:
        if scan_id == self.running:
            raise CommandRefused(f"scan {scan_id}: is running; Cancel it first")
        await self._archive.delete(scan_id, self._workplace.config.store.trash_days)
        self._forget(scan_id)
        accept(answer, scan_id)

    async def _send_first(self, scan_id: str, answer: Answer) -> None:
        if self._workplace.config.offload.url is None:
            raise CommandRefused(f"SendFirst {scan_id}: [offload] url is empty, scans stay on this device")
        await self._archive.send_first(scan_id)
        accept(answer, scan_id)

    def _forget(self, scan_id: str) -> None:
        """Offer a scan no more."""
        if self.interrupted == scan_id:
            self._workplace.interrupted = None

    async def _retake(self, index: int, scan_id: str | None, answer: Answer) -> None:
        """Have one photo of the running scan taken again, or one of an unfinished scan when it goes on."""
        session = self._workplace.session
        wanted = scan_id or self.running or self.interrupted
        if wanted is None:
            raise CommandRefused(f"Retake: no scan is running; the daemon is {self.phase}")
        if session is not None and wanted == self.running:
            running = session.scan
            await self._worker.run(lambda: note_retake(running, index))
            session.control.retake(index)
        else:
            await self._archive.retake_later(wanted, index)
        self._events.publish(RetakeWanted(wanted, index))
        accept(answer, wanted)

    async def _extend(self, wish: Extension, scan_id: str | None, answer: Answer) -> None:
        """Add photos to the running scan, or to one that is not complete."""
        wanted = scan_id or self.running or self.interrupted
        if wanted is None:
            raise CommandRefused(f"ExtendScan: no scan is running; the daemon is {self.phase}")
        session = self._workplace.session if wanted == self.running else None
        await self._archive.extend(wanted, wish, session.scan if session else None)
        accept(answer, wanted)

    def _steer(self, command: Pause | Resume | Cancel, answer: Answer) -> None:
        session, name = self._workplace.session, type(command).__name__
        if session is None:
            raise CommandRefused(f"{name}: no scan is running; the daemon is {self.phase}")
        if command.scan_id not in (None, self.running):
            raise CommandRefused(f"{name}: {command.scan_id} is not running; {self.running} is")
        if isinstance(command, Pause):
            session.control.pause()
        elif isinstance(command, Resume):
            session.control.resume()
        else:
            session.control.cancel()
        accept(answer, self.running)
