"""Where commands are handed in, and the one place that decides whether they make sense now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from drivers.protocols import DriverError
from offload.logs.fields import about
from offload.wire.bundle import Intrinsics
from scannerd.commands import (
    Accepted,
    Cancel,
    CaptureBackground,
    Command,
    CommandRefused,
    Home,
    Pause,
    Resume,
    ResumeScan,
    StartScan,
    Stop,
)
from scannerd.config import Config
from scannerd.events import BackgroundStored, EventBus, Outcome, PhaseChanged, Warned
from scannerd.hardware import Hardware
from scannerd.scan.background import camera_model, photograph_background
from scannerd.scan.phases import Phase, PhaseTracker
from scannerd.scan.plan import ScanPlan, plan_scan
from scannerd.scan.session import ScanSession, Zero
from scannerd.store.durable import StoreFault
from scannerd.store.identity import new_scan_id
from scannerd.store.scans import ScanStore, StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

FINISH_FRAME_S = 10.0
"""A shutdown waits this long for the frame in hand, then abandons it; systemd waits 90 s."""

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
    ) -> None:
        """Work runs as a task of `group`."""
        self._config = config
        self._hardware = hardware
        self._store = store
        self._events = events
        self._worker = worker
        self._group = group
        self._phases = PhaseTracker()
        self._commands: asyncio.Queue[tuple[Command, Answer]] = asyncio.Queue()
        self._open = True
        self._work: Work | None = None
        self._zero: Zero | None = None
        self.interrupted: str | None = None
        """The scan that a fault or a stop ended and that Resume goes on with."""

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""
        return self._phases.phase

    async def submit(self, command: Command) -> Accepted:
        """Return once the command is under way; Home and CaptureBackground once they are done.

        Raises CommandRefused when it makes no sense now, StoreFault (no space, unknown scan) or DriverError when it
        ran into something.
        """
        if not self._open:
            raise CommandRefused(f"{type(command).__name__}: the daemon is going down")
        answer: Answer = asyncio.get_running_loop().create_future()
        self._commands.put_nowait((command, answer))
        return await answer

    async def close(self) -> None:
        """Take no more commands; let the frame in hand be finished, or abandon it when that takes too long."""
        self._open = False
        work = self._work
        if work is None:
            return
        if work.session is not None:
            work.session.control.stop()
        await asyncio.wait({work.task}, timeout=FINISH_FRAME_S)
        work.task.cancel()
        await asyncio.wait({work.task})

    async def obey(self) -> None:
        """Carry out commands, one after the other, until cancelled."""
        try:
            while True:
                await self._answer(*await self._commands.get())
        finally:
            self._refuse_waiting()

    async def _answer(self, command: Command, answer: Answer) -> None:
        try:
            await self._carry_out(command, answer)
        except (CommandRefused, StoreFault, DriverError) as refusal:
            _fail(answer, refusal)
        except asyncio.CancelledError:
            _fail(answer, CommandRefused(f"{type(command).__name__}: the daemon is going down"))
            raise
        except Exception as error:
            LOG.exception("%s: fault inside the daemon", type(command).__name__)
            _fail(answer, RuntimeError(f"{type(command).__name__}: fault inside the daemon: {error!r}; see the log"))

    async def _carry_out(self, command: Command, answer: Answer) -> None:
        if not self._open:
            raise CommandRefused(f"{type(command).__name__}: the daemon is going down")
        match command:
            case StartScan():
                await self._start_scan(command, answer)
            case ResumeScan(scan_id):
                await self._resume_scan(scan_id, answer)
            case Resume() if self._work is None and self.interrupted:
                await self._resume_scan(self.interrupted, answer)
            case Cancel() if self._work is None and self.interrupted:
                await self._give_up(self.interrupted, answer)
            case Pause() | Resume() | Cancel():
                self._steer(command, answer)
            case Stop():
                await self._stop(answer)
            case Home():
                await self._occupy("homing", Phase.PREPARING, self._home, answer)
            case CaptureBackground():
                await self._occupy("taking the background", Phase.BACKGROUND, self._capture_background, answer)

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
        """Cancel a scan that a fault ended already."""

        def mark() -> None:
            with self._store.open(scan_id) as scan:
                scan.note("cancelled")

        await self._worker.run(mark)
        self.interrupted = None
        _accept(answer, scan_id)

    def _steer(self, command: Pause | Resume | Cancel, answer: Answer) -> None:
        session = self._work.session if self._work else None
        if session is None:
            raise CommandRefused(f"{type(command).__name__}: no scan is running; the daemon is {self.phase}")
        if isinstance(command, Pause):
            session.control.pause()
        elif isinstance(command, Resume):
            session.control.resume()
        else:
            session.control.cancel()
        _accept(answer, session.scan.plan.scan_id)

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
        session = ScanSession(scan, self._hardware, quality, self._worker, self._phases, self._events.publish, zero)
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
            except (DriverError, StoreFault) as fault:
                LOG.error("%s failed: %s", name, fault)
                outcome: Exception | None = fault
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

    async def _capture_background(self) -> None:
        layout, quality = self._store.layout, self._config.camera.jpeg_quality
        facts = await photograph_background(self._hardware.camera, layout, self._worker, quality)
        LOG.info("background stored: %d kB", facts.file.size_bytes // 1000)
        self._events.publish(BackgroundStored(str(layout.background)))

    def _plan(self, command: StartScan) -> ScanPlan:
        """Raises CommandRefused, DriverError."""
        now = self._store.now()
        scan_id = command.scan_id or new_scan_id(now, set(self._store.scan_ids()))
        camera = camera_model(self._hardware.camera)
        try:
            return plan_scan(self._config, camera, scan_id, now, command.views, self._intrinsics())
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise CommandRefused(f"StartScan {scan_id!r} with {command.views or 'all'} views: {faults}") from error

    def _intrinsics(self) -> Intrinsics | None:
        file = self._config.intrinsics.file
        return Intrinsics.model_validate_json(file.read_bytes()) if file else None

    def _require_idle(self) -> None:
        if self._work is not None:
            raise CommandRefused(f"busy: {self._work.name} is {self.phase}; wait for its end, or Cancel it")

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

    def _refuse_waiting(self) -> None:
        while not self._commands.empty():
            command, answer = self._commands.get_nowait()
            _fail(answer, CommandRefused(f"{type(command).__name__}: the daemon is going down"))


def _accept(answer: Answer, scan_id: str | None = None) -> None:
    if not answer.done():
        answer.set_result(Accepted(scan_id))


def _fail(answer: Answer, reason: Exception) -> None:
    if not answer.done():
        answer.set_exception(reason)
