"""Where commands are handed in, and the one place that decides whether they make sense now."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from drivers.protocols import AxisNotHomed, DriverError
from offload.logs.fields import about
from offload.wire.bundle import Intrinsics
from scannerd.commands import (
    Accepted,
    Cancel,
    CaptureBackground,
    Command,
    CommandRefused,
    DeleteScan,
    Home,
    Jog,
    Pause,
    RestoreScan,
    Resume,
    ResumeScan,
    Retake,
    SetLight,
    StartScan,
    Stop,
)
from scannerd.config import Config
from scannerd.events import (
    BackgroundStored,
    EventBus,
    LightChanged,
    Outcome,
    PhaseChanged,
    RetakeWanted,
    ScanDeleted,
    ScanGivenUp,
    ScanRestored,
    Warned,
)
from scannerd.hardware import Hardware
from scannerd.leash import Abandoned
from scannerd.scan.background import camera_model, photograph_background
from scannerd.scan.deadlines import Deadlines
from scannerd.scan.phases import Phase, PhaseTracker
from scannerd.scan.plan import ScanPlan, Wishes, plan_scan
from scannerd.scan.runner import ShowPhoto
from scannerd.scan.session import ScanSession, Zero
from scannerd.store.durable import StoreFault
from scannerd.store.identity import new_scan_id
from scannerd.store.scans import ScanStore, StoredScan
from scannerd.store.trash import Trash
from scannerd.turns import Turn, Turns, refuse
from scannerd.watchdog import Lap
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

FINISH_FRAME_S = 2.2
"""A shutdown waits this long for the frame in hand, then abandons it; it has five seconds in all."""
LET_GO_S = 1.3
"""What abandoned work has to stop the platter, to finish the file in hand and to switch the motor off."""

LARGEST_JOG_DEG = 360.0

Answer = asyncio.Future[Accepted]


@dataclass
class Work:
    """The one thing that occupies the hardware; `session` when it is a scan."""

    name: str
    task: asyncio.Task[None]
    session: ScanSession | None = None


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
        show: ShowPhoto = lambda pixels, index, angle_deg: None,
    ) -> None:
        """Work runs as a task of `group`; `show` sees every photo of a scan."""
        self._config = config
        self._hardware = hardware
        self._store = store
        self._events = events
        self._worker = worker
        self._group = group
        self._show = show
        self._trash = Trash(store.layout)
        self._phases = PhaseTracker()
        self._deadlines = Deadlines(config, hardware.axis, hardware.camera)
        self.turns = Turns()
        """Where whatever must not happen beside a command is handed in, too."""
        self._work: Work | None = None
        self._zero: Zero | None = None
        self.interrupted: str | None = None
        """The scan that a fault or a stop ended and that Resume goes on with."""

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""
        return self._phases.phase

    @property
    def is_open(self) -> bool:
        """Whether commands are taken."""
        return self.turns.is_open

    @property
    def camera_is_free(self) -> bool:
        """Nothing is under way that needs the camera, and the desk is open."""
        return self.turns.is_open and self._work is None

    @property
    def running(self) -> str | None:
        """The scan that has the table."""
        session = self._work.session if self._work else None
        return session.scan.plan.scan_id if session else None

    async def submit(self, command: Command) -> Accepted:
        """Return once the command is under way; Home and CaptureBackground once they are done.

        Raises CommandRefused when it makes no sense now, StoreFault (no space, unknown scan) or DriverError when it
        ran into something.
        """
        name = type(command).__name__
        answer: Answer = asyncio.get_running_loop().create_future()
        self.turns.put(Turn(name, lambda: self._answer(command, answer), answer))
        return await answer

    @property
    def lap(self) -> Lap:
        """What runs, for how long, and for how long it may."""
        session = self._work.session if self._work else None
        name = f"{self._work.name}: " if self._work else ""
        deadline_s = self._deadlines.of(self.phase, session.scan.plan if session else None)
        return Lap(f"{name}{self.phase}", self._phases.age_s, deadline_s)

    async def ping(self) -> None:
        """Return once the desk has answered in its own order; at once when it is closed."""
        await self.turns.ping()

    @property
    def answer_s(self) -> float:
        """The longest that an answer may take."""
        return self._deadlines.answer_s

    async def close(self) -> None:
        """Take no more commands; let the frame in hand be finished, or abandon it when that takes too long.

        Raises Abandoned when not even that ends it: the journal is as it is after the last photo.
        """
        self.turns.close()
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
        """Abandon the frame in hand now; only while the desk closes."""
        if not self.turns.is_open and self._work is not None:
            self._work.task.cancel()

    def take(self, config: Config, hardware: Hardware) -> None:
        """Work by these settings, with these devices: a running scan's limits change at its next viewpoint."""
        if hardware.axis is not self._hardware.axis:
            self._zero = None
        self._config, self._hardware = config, hardware
        self._deadlines = Deadlines(config, hardware.axis, hardware.camera)
        if self._work is not None and self._work.session is not None:
            self._work.session.take_quality(config.quality)

    @property
    def occupied_by(self) -> str | None:
        """What has the hardware, and what it is doing; None when it is free."""
        return f"{self._work.name} is {self.phase}" if self._work else None

    async def obey(self) -> None:
        """Carry out commands, one after the other, until cancelled."""
        await self.turns.serve()

    async def _answer(self, command: Command, answer: Answer) -> None:
        try:
            await self._carry_out(command, answer)
        except (CommandRefused, StoreFault, DriverError) as refusal:
            _fail(answer, refusal)
        except asyncio.CancelledError:
            refuse(answer, type(command).__name__)
            raise
        except Exception as error:
            LOG.exception("%s: fault inside the daemon", type(command).__name__)
            _fail(answer, RuntimeError(f"{type(command).__name__}: fault inside the daemon: {error!r}; see the log"))

    async def _carry_out(self, command: Command, answer: Answer) -> None:
        self.turns.require_open(type(command).__name__)
        match command:
            case StartScan():
                await self._start_scan(command, answer)
            case ResumeScan(scan_id):
                await self._resume_scan(scan_id, answer)
            case Resume(scan_id) if self._work is None and (scan_id or self.interrupted):
                await self._resume_scan(scan_id or str(self.interrupted), answer)
            case Cancel(scan_id) if self._work is None and (scan_id or self.interrupted):
                await self._give_up(scan_id or str(self.interrupted), answer)
            case Pause() | Resume() | Cancel():
                self._steer(command, answer)
            case Retake(index, scan_id):
                await self._retake(index, scan_id, answer)
            case Stop():
                await self._stop(answer)
            case Home():
                await self._occupy("homing", Phase.PREPARING, self._home, answer)
            case Jog(delta_deg):
                await self._occupy("jogging", Phase.JOGGING, lambda: self._jog(delta_deg), answer)
            case SetLight(level):
                await self._set_light(level, answer)
            case CaptureBackground():
                await self._occupy("taking the background", Phase.BACKGROUND, self._capture_background, answer)
            case DeleteScan(scan_id):
                await self._delete(scan_id, answer)
            case RestoreScan(scan_id):
                await self._restore(scan_id, answer)

    async def _start_scan(self, command: StartScan, answer: Answer) -> None:
        self._require_idle()
        plan = self._plan(command)
        scan, remark = await self._worker.run(lambda: self._store.begin(plan))
        if remark is not None:
            LOG.warning("%s", remark, extra=about(scan=plan.scan_id))
            self._events.publish(Warned(remark, plan.scan_id))
        await self._launch(scan, answer)

    async def _resume_scan(self, scan_id: str, answer: Answer) -> None:
        self._require_idle()
        scan = await self._worker.run(lambda: self._store.open(scan_id))
        try:
            self._require_resumable(scan)
        except (CommandRefused, StoreFault):
            scan.close()
            raise
        await self._launch(scan, answer)

    async def _give_up(self, scan_id: str, answer: Answer) -> None:
        """Cancel a scan that is not running: a fault, a stop or a power cut ended it."""

        def mark() -> None:
            with self._store.open(scan_id) as scan:
                if scan.sealed:
                    raise CommandRefused(f"scan {scan_id}: is complete; delete it when nobody wants it")
                scan.note("cancelled")

        await self._worker.run(mark)
        if self.interrupted == scan_id:
            self.interrupted = None
        self._events.publish(ScanGivenUp(scan_id))
        _accept(answer, scan_id)

    async def _retake(self, index: int, scan_id: str | None, answer: Answer) -> None:
        """Have one photo of the running scan taken again, or one of an unfinished scan when it goes on."""
        session = self._work.session if self._work else None
        if session is not None and scan_id in (None, session.scan.plan.scan_id):
            scan_id = session.scan.plan.scan_id
            _require_viewpoint(session.scan, index)
            session.control.retake(index)
        elif scan_id is not None or self.interrupted is not None:
            scan_id = scan_id or str(self.interrupted)
            await self._worker.run(lambda: self._drop_photo(str(scan_id), index))
        else:
            raise CommandRefused(f"Retake: no scan is running; the daemon is {self.phase}")
        self._events.publish(RetakeWanted(scan_id, index))
        _accept(answer, scan_id)

    def _drop_photo(self, scan_id: str, index: int) -> None:
        """In the worker's thread: count a photo no more, so that the scan takes it when it goes on."""
        with self._store.open(scan_id) as scan:
            if scan.sealed:
                raise CommandRefused(f"scan {scan_id}: is complete and sealed; start a new scan to take photos again")
            _require_viewpoint(scan, index)
            scan.note("lost", index=index, reason="a person wants it again")

    async def _set_light(self, level: float, answer: Answer) -> None:
        light = self._hardware.light
        if light is None:
            raise CommandRefused("SetLight: this scanner has no light; set [light] driver")
        if not 0 <= level <= 1:
            raise CommandRefused(f"SetLight {level}: use 0 (off) to 1 (all there is)")
        light.set_level(level)
        self._events.publish(LightChanged(level))
        _accept(answer)

    async def _delete(self, scan_id: str, answer: Answer) -> None:
        running = self._work.session if self._work else None
        if running is not None and running.scan.plan.scan_id == scan_id:
            raise CommandRefused(f"scan {scan_id}: is running; Cancel it first")
        await self._worker.run(lambda: self._trash.put(scan_id))
        if self.interrupted == scan_id:
            self.interrupted = None
        LOG.info("in the trash", extra=about(scan=scan_id))
        self._events.publish(ScanDeleted(scan_id))
        await self._worker.run(lambda: self._trash.forget(self._config.store.trash_days))
        _accept(answer, scan_id)

    async def _restore(self, scan_id: str, answer: Answer) -> None:
        await self._worker.run(lambda: self._trash.restore(scan_id))
        LOG.info("back from the trash", extra=about(scan=scan_id))
        self._events.publish(ScanRestored(scan_id))
        _accept(answer, scan_id)

    def _steer(self, command: Pause | Resume | Cancel, answer: Answer) -> None:
        session = self._work.session if self._work else None
        if session is None:
            raise CommandRefused(f"{type(command).__name__}: no scan is running; the daemon is {self.phase}")
        running = session.scan.plan.scan_id
        if command.scan_id not in (None, running):
            raise CommandRefused(f"{type(command).__name__}: {command.scan_id} is not running; {running} is")
        if isinstance(command, Pause):
            session.control.pause()
        elif isinstance(command, Resume):
            session.control.resume()
        else:
            session.control.cancel()
        _accept(answer, running)

    async def _stop(self, answer: Answer) -> None:
        if self._work is not None:
            self._work.task.cancel()
            await asyncio.wait({self._work.task})
        _accept(answer, self.interrupted)

    async def _launch(self, scan: StoredScan, answer: Answer) -> None:
        """Run a scan as the daemon's work."""
        scan_id = scan.plan.scan_id
        zero = self._zero if self._zero and self._zero.scan_id == scan_id else None
        quality = self._config.quality
        publish, show = self._events.publish, self._show
        session = ScanSession(scan, self._hardware, quality, self._worker, self._phases, publish, zero, show)
        task = self._group.create_task(self._run_scan(session), name=f"scan {scan_id}")
        self._work = Work(f"scan {scan_id}", task, session)
        # A task that is cancelled before its first step never cleans up after itself.
        await asyncio.sleep(0)
        _accept(answer, scan_id)

    async def _run_scan(self, session: ScanSession) -> None:
        self.interrupted = None
        ended = None
        try:
            ended = await session.run()
        finally:
            ended = ended or session.ended(Outcome.STOPPED)
            self._zero = session.zero
            self.interrupted = ended.scan_id if ended.resumable else None
            self._be_idle()
            self._events.publish(ended)

    async def _occupy(self, name: str, phase: Phase, work: Callable[[], Awaitable[None]], answer: Answer) -> None:
        """Do something that is not a scan as the daemon's work; the answer comes when it is done."""
        self._require_idle()

        async def attend() -> None:
            try:
                self._phases.enter(phase)
                self._events.publish(PhaseChanged(phase))
                await work()
            except CommandRefused as refusal:
                outcome: Exception | None = refusal
            except (DriverError, StoreFault) as fault:
                LOG.error("%s failed: %s", name, fault)
                outcome = fault
            except asyncio.CancelledError:
                outcome = CommandRefused(f"{name} was stopped")
                raise
            else:
                outcome = None
            finally:
                self._be_idle()
                _fail(answer, outcome) if outcome else _accept(answer)

        self._work = Work(name, self._group.create_task(attend(), name=name))
        await asyncio.sleep(0)

    def _be_idle(self) -> None:
        self._work = None
        self._phases.enter(Phase.IDLE)
        self._events.publish(PhaseChanged(Phase.IDLE))

    async def _home(self) -> None:
        try:
            await self._hardware.axis.home()
            self._zero = None
        finally:
            await self._hardware.axis.release()

    async def _jog(self, delta_deg: float) -> None:
        """Turn by an angle; a platter that was never homed counts from where it stands."""
        axis = self._hardware.axis
        if not math.isfinite(delta_deg) or abs(delta_deg) > LARGEST_JOG_DEG:
            raise CommandRefused(f"Jog {delta_deg}°: at most {LARGEST_JOG_DEG:.0f}° either way at a time")
        try:
            try:
                from_deg = axis.angle_deg
            except AxisNotHomed:
                await axis.home()
                from_deg = axis.angle_deg
            await axis.move_to(from_deg + delta_deg)
        finally:
            await axis.release()

    async def _capture_background(self) -> None:
        layout, quality = self._store.layout, self._config.camera.jpeg_quality
        facts = await photograph_background(self._hardware.camera, layout, self._worker, quality)
        LOG.info("background stored: %d kB", facts.file.size_bytes // 1000)
        self._events.publish(BackgroundStored(str(layout.background)))

    def _plan(self, command: StartScan) -> ScanPlan:
        """Raises CommandRefused, DriverError."""
        now = self._store.now()
        taken = {*self._store.scan_ids(), *self._trash.scan_ids()}
        scan_id = command.scan_id or new_scan_id(now, taken)
        if scan_id in self._trash.scan_ids():
            raise CommandRefused(f"scan {scan_id}: is in the trash; restore it, or choose another name")
        return self.plan(scan_id, Wishes(command.views, command.rings, command.quality))

    def plan(self, scan_id: str, wishes: Wishes) -> ScanPlan:
        """Return what a scan would be. Raises CommandRefused, DriverError."""
        camera = camera_model(self._hardware.camera)
        try:
            return plan_scan(self._config, camera, scan_id, self._store.now(), wishes, self._intrinsics())
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise CommandRefused(f"StartScan {scan_id!r} with {wishes.views or 'all'} views: {faults}") from error

    def _intrinsics(self) -> Intrinsics | None:
        file = self._config.intrinsics.file
        return Intrinsics.model_validate_json(file.read_bytes()) if file else None

    def _require_idle(self) -> None:
        if self.occupied_by is not None:
            raise CommandRefused(f"busy: {self.occupied_by}; wait for its end, or Cancel it")

    def _require_resumable(self, scan: StoredScan) -> None:
        plan, camera = scan.plan, self._config.camera
        if scan.sealed:
            raise CommandRefused(f"scan {plan.scan_id}: is complete; there is nothing to resume")
        planned = (plan.photo_width_px, plan.photo_height_px, plan.exposure_us, plan.analogue_gain)
        if planned != (camera.width_px, camera.height_px, camera.exposure_us, camera.analogue_gain):
            raise CommandRefused(
                f"scan {plan.scan_id}: was begun with {planned[0]}x{planned[1]} px, {planned[2]:g} µs, gain "
                f"{planned[3]:g}; the camera is set to {camera.width_px}x{camera.height_px} px, "
                f"{camera.exposure_us} µs, gain {camera.analogue_gain:g}: set [camera] as it was, then resume"
            )
        self._store.forecast.require(plan, len(scan.missing()))


def _require_viewpoint(scan: StoredScan, index: int) -> None:
    last = len(scan.plan.viewpoints) - 1
    if not 0 <= index <= last:
        raise CommandRefused(f"Retake {index}: scan {scan.plan.scan_id} has photos 0 to {last}")


def _accept(answer: Answer, scan_id: str | None = None) -> None:
    if not answer.done():
        answer.set_result(Accepted(scan_id))


def _fail(answer: Answer, reason: Exception) -> None:
    if not answer.done():
        answer.set_exception(reason)
