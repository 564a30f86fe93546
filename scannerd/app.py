"""The daemon: the only place that constructs, and the one task group in which everything runs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.protocols import DriverError
from offload.logs.fields import about
from scannerd.board.board import Board
from scannerd.board.scan_shown import Forecast
from scannerd.board.state import DiskSpace
from scannerd.board.sync_watch import SyncWatch
from scannerd.commands import Accepted, Command, CommandRefused, ResumeScan, Wishes
from scannerd.config import Config
from scannerd.control.doors import load_doors, network_doors
from scannerd.control.panel import Panel
from scannerd.control.scanner import Door
from scannerd.event_bus import EventBus
from scannerd.events import ConfigTaken, UnfinishedScanFound
from scannerd.hardware import Hardware, open_cameras
from scannerd.process.health import LOW_VOLTAGE, Health, Room
from scannerd.process.health_report import HealthReport, Trouble
from scannerd.process.heap import give_photos_back
from scannerd.process.leash import Abandoned
from scannerd.process.manager import ServiceManager
from scannerd.process.vitals import Vitals, read_vitals
from scannerd.process.watchdog import Watchdog
from scannerd.requests import Answer, AnswerStatus, Request
from scannerd.scan.forecast import forecast
from scannerd.scan.phases import Phase
from scannerd.settings.desk import SettingsDesk, as_written
from scannerd.store.catalogue import Catalogue
from scannerd.store.durable import StoreFault
from scannerd.store.layout import StoreLayout
from scannerd.store.ledger import CommandLedger
from scannerd.store.lock import StoreLock
from scannerd.store.scans import ScanStore
from scannerd.store.space import scan_bytes
from scannerd.store.summary import ScanState, ScanSummary, summaries
from scannerd.viewfinder import Viewfinder
from scannerd.work.desk import Desk
from scannerd.work.hardware_exchange import ExchangeFailed, HardwareLost, close_devices, exchange
from scannerd.work.reception import Reception
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

GOING_DOWN_S = 4.1
"""From the wish to stop until everything is closed; the desk may take 3.5 of them."""
CLOSE_S = 0.6
"""What the devices have to close in at least."""


class Daemon:
    """One scanner. `async with Daemon(config, hardware) as daemon:` opens the camera and listens to the button.

    The hardware is the daemon's from then on, and is closed with it. Listeners may subscribe to `events` before.
    """

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        store: ScanStore | None = None,
        *,
        network: bool = False,
        config_file: Path | None = None,
        service_manager: ServiceManager | None = None,
        vitals: Callable[[], Vitals] = read_vitals,
        fit: Callable[[Config], Config] = as_written,
    ) -> None:
        """With `network` the doors that the configuration opens to the network are opened, else the button only.

        `config_file` is where settings come from and go to, and `fit` makes of them what was made of `config` (may
        raise ConfigFaults); `service_manager` hears that the daemon is alive; `vitals` reads how the computer is.
        """
        self._hardware = hardware
        self.store = store or ScanStore(StoreLayout(config.store.folder), config.store.reserve_bytes)
        self._config = config
        self._config_file = config_file
        self._service_manager = service_manager or ServiceManager(None)
        self._network = network
        self._vitals = vitals
        self._fit = fit
        self.events = EventBus()
        self.board = Board(self.events, config.device.name, self._disk_space, has_raw=lambda: self._hardware.has_raw)
        self.catalogue = Catalogue(self.store)
        self.page_url: str | None = None
        """Set by the door that has the page: where it is, for people on this very machine."""
        self.new_pairing_code: Callable[[], str] | None = None
        """Set by the door that pairs tablets; the lamp shows the code to whoever stands at the device."""
        self._panel = Panel(self)
        self._reception: Reception | None = None
        self._viewfinder: Viewfinder | None = None
        self._reading: WorkerThread | None = None
        self._desk: Desk | None = None
        self._settings: SettingsDesk | None = None
        self._health: Health | None = None
        self._group: asyncio.TaskGroup | None = None
        self._exchanging = False
        self._down_by_s = 0.0
        self._doors: list[Door] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""
        return self._desk.phase if self._desk else Phase.IDLE

    @property
    def interrupted(self) -> str | None:
        """The scan that a fault or a stop ended and that Resume goes on with."""
        return self._desk.interrupted if self._desk else None

    @property
    def running(self) -> str | None:
        """The scan that has the table."""
        return self._desk.running if self._desk else None

    @property
    def latest_photo(self) -> int | None:
        """The viewpoint of the running scan's latest photo; None before there is one."""
        return self._desk.latest_photo if self._desk else None

    @property
    def viewfinder(self) -> Viewfinder:
        """What the camera sees. Only while the daemon runs."""
        assert self._viewfinder is not None, "the daemon is not running"
        return self._viewfinder

    @property
    def reading(self) -> WorkerThread:
        """The thread for reading files that people want to see. Only while the daemon runs."""
        assert self._reading is not None, "the daemon is not running"
        return self._reading

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._settings.config if self._settings is not None else self._config

    @property
    def settings(self) -> SettingsDesk:
        """The way to other settings. Only while the daemon runs."""
        assert self._settings is not None, "the daemon is not running"
        return self._settings

    @property
    def hardware(self) -> Hardware:
        """The devices in use."""
        return self._hardware

    @property
    def health(self) -> HealthReport:
        """How the device is, as of the latest look. Only while the daemon runs."""
        assert self._health is not None, "the daemon is not running"
        return self._health.report

    async def reload(self, new: Config) -> ConfigTaken:
        """Put other settings in force, all of them or none. Raises ConfigRefused."""
        return await self.settings.reload(new)

    @property
    def trouble(self) -> str | None:
        """Why commands are not obeyed now; None when they are."""
        if self._desk is None or not self._desk.is_open:
            return "the daemon is going down, or not up yet"
        return self._watchdog.trouble()

    async def ask(self, request: Request) -> Answer:
        """Carry out a command from a front door, once for each id, and answer; never raises for a refusal."""
        if self._reception is None:
            reason = "the daemon is not running"
            return Answer(request.command_id, AnswerStatus.REFUSED, reason=reason)
        return await self._reception.ask(request)

    def forecast(self, wishes: Wishes) -> Forecast:
        """Return what a scan would take. Raises CommandRefused, DriverError."""
        if self._desk is None:
            raise CommandRefused("Forecast: the daemon is not running")
        plan = self._desk.plan("forecast", wishes)
        return forecast(plan, self._hardware.axis, self._hardware.cameras, self.store.forecast)

    async def submit(self, command: Command) -> Accepted:
        """Return once the command is under way; Home and CaptureBackground once they are done.

        Raises CommandRefused when it makes no sense now, StoreFault (no space, unknown scan) or DriverError when it
        ran into something.
        """
        if self._desk is None:
            raise CommandRefused(f"{type(command).__name__}: the daemon is not running")
        return await self._desk.submit(command)

    async def __aenter__(self) -> Self:
        """Lock the store, open the camera, start listening. Raises StoreFault, DriverError."""
        give_photos_back()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close_hardware)
            self.store.make()
            stack.callback(StoreLock(self.store.layout.lock).close)
            self.store.prepare()
            worker, reading = WorkerThread("store"), WorkerThread("reading")
            stack.callback(worker.close)
            stack.callback(reading.close)
            ledger = CommandLedger(self.store.layout.commands)
            stack.callback(self.events.close)
            # Loading them takes as long as a camera takes to deliver its first frames.
            doors_loaded = reading.begin(lambda: load_doors(self._doors_wanted()))
            await self._hardware.camera.open()
            await open_cameras(self._hardware.others, self._config.camera_names[1:])
            stack.callback(self._close_doors)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            viewfinder = Viewfinder(
                lambda: self._hardware.cameras,
                lambda: desk.camera_is_free and not self._exchanging,
                self._panel.lighting.look_at_picture,
            )
            stack.callback(viewfinder.close)
            emergency = self._panel.listen_to_emergency_stop()
            stack.callback(emergency.use, None)
            desk = Desk(
                self._config,
                self._hardware,
                self.store,
                self.events,
                worker,
                group,
                viewfinder.offer,
                self._low_voltage,
                emergency,
            )
            publish = self.events.publish
            reception = Reception(desk.submit, ledger, publish)
            stack.callback(reception.close)
            self._viewfinder, self._reading, self._reception = viewfinder, reading, reception
            self._desk, self._group = desk, group
            self._settings = SettingsDesk(
                self._config,
                self._config_file,
                desk.turns,
                reading,
                publish,
                occupied_by=lambda: desk.occupied_by,
                exchange=self._exchange,
                take=lambda config: desk.take(config, self._hardware),
                fit=self._fit,
            )
            self._watchdog = Watchdog(desk, self._service_manager)
            self._health = Health(reading, self._room, self._watchdog.trouble, publish, vitals=self._vitals)
            await doors_loaded
            self._doors += self._network_doors()
            self._start_tasks(desk, group, self._health)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Refuse commands, finish or abandon the frame, motor off, journal closed, everything freed.

        Raises Abandoned when something does not end: the motor is off, and the process must end.
        """
        hangs = False
        self._down_by_s = time.monotonic() + GOING_DOWN_S
        try:
            if self._desk is not None:
                await self._desk.close()
        except Abandoned:
            hangs = True
            # What hangs cannot be waited for; all that can still be closed is the hardware.
            with contextlib.suppress(Abandoned):
                await self._close_hardware()
            raise
        finally:
            if not hangs:
                self._panel.stop()
                for task in self._tasks:
                    task.cancel()
                if kind is not asyncio.CancelledError:
                    # What the caller ran into is the caller's own; the group would wrap it.
                    kind = error = trace = None
                await self._stack.__aexit__(kind, error, trace)

    def hurry(self) -> None:
        """Finish nothing any more; only while the daemon goes down."""
        if self._desk is not None:
            self._desk.hurry()

    def cut_current(self) -> None:
        """Switch the motor off at once, from any thread: the process is about to be ended."""
        for motor in self._hardware.motors:
            motor.cut_current()

    @property
    def doing(self) -> str:
        """What occupies the daemon, for last words."""
        return (self._desk.occupied_by if self._desk else None) or str(self.phase)

    def _start_tasks(self, desk: Desk, group: asyncio.TaskGroup, health: Health) -> None:
        watch = SyncWatch(self.store, self.reading, self.events.publish)
        self._tasks = [
            group.create_task(desk.obey(), name="commands"),
            group.create_task(watch.run(), name="sync watch"),
            group.create_task(self._watchdog.run(), name="watchdog"),
            group.create_task(health.run(), name="health"),
        ]
        self._panel.start(self.config, group)
        self._tasks += [group.create_task(door.run(), name=door.name) for door in self._doors]
        waiting = self._offer_unfinished()
        if waiting and self.config.scan.resume_on_start:
            resume = self._resume_at_start(desk, waiting[-1].scan_id)
            self._tasks.append(group.create_task(resume, name="resume at the start"))

    async def _exchange(self, sections: set[str], new: Config) -> None:
        """Build the devices of these sections anew. Raises ExchangeFailed; the old ones are back then."""
        assert self._desk is not None
        assert self._group is not None
        self._exchanging = True
        self._panel.let_go()
        in_force = self.config
        try:
            self._hardware = await exchange(self._hardware, sections, self.config, new)
            in_force = new
        except ExchangeFailed as failed:
            self._hardware = failed.hardware
            raise
        except HardwareLost as lost:
            self._group.create_task(_fall(lost), name="hardware lost")
            raise
        finally:
            self._exchanging = False
            self._desk.take(self.config, self._hardware)
            self._panel.use_anew(in_force, sections, self._group)

    def _low_voltage(self) -> str | None:
        """Why the motor should rest; None while the supply is enough, or nobody can tell."""
        return LOW_VOLTAGE if Trouble.UNDER_VOLTAGE in self.health.troubles else None

    def _room(self) -> Room | None:
        """What is left on the scans' disk for scans as configured; None while nobody knows. From any thread."""
        assert self._desk is not None
        try:
            plan = self._desk.plan("forecast", Wishes())
            usable_bytes = self.store.forecast.usable_bytes
        except (OSError, CommandRefused, DriverError):
            return None
        return Room(usable_bytes, scan_bytes(plan, len(plan.viewpoints)))

    def _doors_wanted(self) -> list[str]:
        wanted = {"rest": self.config.web.enabled, "mqtt": self.config.mqtt.enabled}
        return [name for name, enabled in wanted.items() if enabled and self._network]

    def _network_doors(self) -> list[Door]:
        return network_doors(self._doors_wanted(), self)

    def _close_doors(self) -> None:
        for door in self._doors:
            door.close()

    def _offer_unfinished(self) -> list[ScanSummary]:
        waiting = [scan for scan in summaries(self.store) if scan.state is ScanState.UNFINISHED]
        for scan in waiting:
            done, planned = scan.frames_done, scan.frames_planned
            LOG.info("unfinished: %d of %d photos", done, planned, extra=about(scan=scan.scan_id))
            self.events.publish(UnfinishedScanFound(scan.scan_id, done, planned))
        return waiting

    async def _resume_at_start(self, desk: Desk, scan_id: str) -> None:
        try:
            await desk.submit(ResumeScan(scan_id))
        except (CommandRefused, StoreFault, DriverError) as reason:
            LOG.error("not resumed: %s", reason, extra=about(scan=scan_id))

    def _disk_space(self) -> DiskSpace | None:
        """None while nobody knows: the store's folder is not there yet, or its disk is gone."""
        try:
            free_bytes = self.store.free_bytes(self.store.layout.scans)
        except OSError:
            return None
        return DiskSpace(free_mb=free_bytes // 1_000_000, reserve_mb=self.config.store.reserve_mb)

    async def _close_hardware(self) -> None:
        """Free everything, the motor first. Raises Abandoned, with everything else freed, for what does not close."""
        # A start that failed is in no hurry: why it did must not be lost to a camera that takes its time to close.
        limit_s = max(CLOSE_S, self._down_by_s - time.monotonic()) if self._down_by_s else GOING_DOWN_S
        hanging = await close_devices(self._hardware, limit_s=limit_s)
        if hanging:
            raise Abandoned(f"{', '.join(hanging)}: not closed after {limit_s:.1f} s")


async def _fall(reason: RuntimeError) -> None:
    """End the daemon, from a task of its own group."""
    raise reason
