"""The daemon as a service: signals come in, and systemd hears what it does."""

import asyncio
import faulthandler
import gc
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from drivers.protocols import Clock
from scannerd.app import Daemon
from scannerd.config import Config
from scannerd.hardware import build_hardware
from scannerd.process.leash import HURRY_S, STOP_S, Abandoned, Leash
from scannerd.process.manager import ServiceManager
from scannerd.process.status_text import status_text
from scannerd.process.vitals import Vitals, process_age_s, read_vitals
from scannerd.settings.desk import ConfigRefused, as_written
from scannerd.settings.file import ConfigFaults

LOG = logging.getLogger(__name__)

STATUS_S = 1.0
"""How often the status in words is looked at; it is sent when it has changed."""


async def serve(
    config: Config,
    file: Path | None = None,
    clock: Clock | None = None,
    on_ready: Callable[[Daemon], None] | None = None,
    vitals: Callable[[], Vitals] = read_vitals,
    fit: Callable[[Config], Config] = as_written,
) -> None:
    """Be the daemon until SIGTERM or SIGINT. Raises ConfigFaults, StoreFault, DriverError.

    `file` is where the settings came from, read again at SIGHUP; `clock` is the hardware's where it is not the
    system's; `on_ready` is told once every door is open; `vitals` reads how the computer is;
    `fit` makes of what the file says later what `config` was made of it.
    """
    await Service(config, file, clock, on_ready, vitals, fit).run()


class Service:
    """One run of the daemon under systemd, or under whoever started it."""

    def __init__(
        self,
        config: Config,
        file: Path | None,
        clock: Clock | None,
        on_ready: Callable[[Daemon], None] | None,
        vitals: Callable[[], Vitals] = read_vitals,
        fit: Callable[[Config], Config] = as_written,
    ) -> None:
        self._config = config
        self._file = file
        self._clock = clock
        self._on_ready = on_ready
        self._vitals = vitals
        self._fit = fit
        self._manager = ServiceManager.from_environment()
        self._daemon: Daemon | None = None
        self._stop = asyncio.Event()
        self._hang_up = asyncio.Event()
        self._signals = 0
        self._starting: asyncio.Task[None] | None = None
        self._not_taken: str | None = None
        self._leash = Leash(self._what_hangs, self._cut_current)

    async def run(self) -> None:
        """Start, serve, and go down in five seconds whatever hangs. Raises StoreFault, DriverError."""
        # A watchdog's SIGABRT then leaves everybody's traceback in the journal.
        faulthandler.enable()
        self._listen_to_signals()
        self._manager.status("starting")
        try:
            await self._be_daemon()
        except Abandoned as left:
            self._leash.cut(str(left))
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
            LOG.info("stopped while starting")
        finally:
            self._leash.release()
            self._manager.close()

    async def _be_daemon(self) -> None:
        self._starting = asyncio.current_task()
        hardware = build_hardware(self._config, self._clock)
        daemon = Daemon(
            self._config,
            hardware,
            network=True,
            config_file=self._file,
            service_manager=self._manager,
            vitals=self._vitals,
            fit=self._fit,
        )
        self._daemon = daemon
        async with daemon, asyncio.TaskGroup() as group:
            self._starting = None
            telling = group.create_task(self._tell(daemon), name="status")
            reloading = group.create_task(self._reload(daemon), name="reload")
            LOG.info("ready %.2f s after the process began", process_age_s())
            self._manager.ready()
            # Modules and what they made stay for ever: the collector need not look at them again and again.
            gc.freeze()
            gc.enable()
            if self._on_ready is not None:
                self._on_ready(daemon)
            await self._stop.wait()
            for task in (telling, reloading):
                task.cancel()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
            # Beside the loop's own: this one is called even while something blocks the loop.
            signal.signal(number, self._put_on_leash)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up.set)

    def _put_on_leash(self, _number: int, _frame: object) -> None:
        self._leash.start(STOP_S if self._signals == 0 else HURRY_S)
        self._signals += 1

    def _asked_to_stop(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            LOG.warning("%s again: nothing is finished any more", number.name)
            if self._daemon is not None:
                self._daemon.hurry()
            return
        LOG.info("%s: going down", number.name)
        self._stop.set()
        self._manager.stopping()
        self._manager.status("going down")
        if self._starting is not None:
            self._starting.cancel()

    async def _tell(self, daemon: Daemon) -> None:
        """Say in words what the daemon does, until cancelled."""
        while True:
            self._say_status(daemon)
            await asyncio.sleep(STATUS_S)

    def _say_status(self, daemon: Daemon) -> None:
        text = status_text(daemon.board.state())
        self._manager.status(f"{text}; {self._not_taken}" if self._not_taken else text)

    async def _reload(self, daemon: Daemon) -> None:
        """Take the file's settings at each SIGHUP, until cancelled."""
        while True:
            await self._hang_up.wait()
            self._hang_up.clear()
            self._manager.reloading()
            self._manager.status("taking new settings")
            try:
                await daemon.settings.reload_file()
                self._not_taken = None
            except (ConfigFaults, ConfigRefused) as refusal:
                # Logged and published where it was refused.
                self._not_taken = f"new settings are not taken: {refusal}"
            finally:
                self._say_status(daemon)
                self._manager.ready()

    def _what_hangs(self) -> str:
        return f"{self._daemon.doing if self._daemon else 'starting'} did not end in time after the signal"

    def _cut_current(self) -> None:
        if self._daemon is not None:
            self._daemon.cut_current()
