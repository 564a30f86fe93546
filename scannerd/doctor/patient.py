"""The scanner that is examined: its settings, who its daemon is, and where this machine keeps things."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.protocols import Clock
from scannerd.config import Config
from scannerd.control.terminal.client import DaemonSocket, NoDaemon, NotDone
from scannerd.doctor.account import Account, account, my_account
from scannerd.doctor.unit import NoSystemd, unit
from scannerd.settings.file import read_leniently
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import lock_holder

SERVICE = "scannerd.service"


@dataclass(frozen=True)
class Machine:
    """Where this computer shows its devices; a bench has folders of its own."""

    dev: Path = Path("/dev")
    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    simulated: bool = False
    """The bench lies beneath the drivers: pins and camera are no real ones."""

    @property
    def kind(self) -> str | None:
        """What a Raspberry Pi calls itself; None on anything else."""
        try:
            model = (self.proc / "device-tree/model").read_text().rstrip("\0\n")
        except OSError:
            return None
        return model if "Raspberry Pi" in model else None


@dataclass(frozen=True)
class Running:
    """A daemon that runs, and what it says of itself."""

    process: int | None
    """None: unknown."""
    state: dict[str, Any] | None = None
    device: dict[str, Any] | None = None
    silent_because: str = ""
    """Why nothing is known of it; empty when it answered."""


@dataclass(frozen=True)
class Patient:
    """What every check may look at."""

    config: Config
    """As far as it is sound; defaults for the rest."""
    file: Path | None = None
    """Where it came from; None: defaults, there is no file."""
    problems: tuple[str, ...] = ()
    """Of that file."""
    account: Account = field(default_factory=my_account)
    """Of the daemon."""
    running: Running | None = None
    machine: Machine = Machine()
    clock: Clock | None = None
    """The hardware's, where it is not the system's."""

    @property
    def in_words(self) -> str:
        """Why something about real hardware cannot be told here."""
        return "pins are simulated on the bench" if self.machine.simulated else "this is no Raspberry Pi"


def patient(file: Path | None, usual_file: Path) -> Patient:
    """Look at this very machine."""
    chosen = file or (usual_file if usual_file.exists() else None)
    config, problems = read_leniently(chosen) if chosen else (Config(), ())
    return Patient(config, chosen, problems, daemon_account(), running_daemon(config))


def daemon_account() -> Account:
    """Return who the installed daemon is; where there is none, who runs this."""
    try:
        service = unit(SERVICE)
    except NoSystemd:
        return my_account()
    found = account(service.user, service.groups) if service.is_installed and service.user else None
    return found or my_account()


def running_daemon(config: Config) -> Running | None:
    """Ask the daemon of this store who it is; None where none runs."""
    holder = lock_holder(StoreLayout(config.store.folder).lock)
    socket = config.web.socket if config.web.enabled else None
    if socket is None:
        return Running(holder, silent_because="[web] has no socket to ask through") if holder is not None else None
    if holder is None and not _is_there(socket):
        return None
    try:
        with DaemonSocket(socket, answers_within_s=5.0) as daemon:
            return Running(holder, daemon.read("state"), daemon.read("device"))
    except (NoDaemon, NotDone) as silence:
        return Running(holder, silent_because=str(silence)) if holder is not None else None


def _is_there(socket: Path) -> bool:
    try:
        return socket.exists()
    except PermissionError:
        return True
