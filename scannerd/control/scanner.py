"""What a front door may do with the daemon, and what the daemon wants of a door."""

from collections.abc import Callable
from typing import Protocol

from scannerd.board.board import Board
from scannerd.board.scan_shown import Forecast
from scannerd.commands import Wishes
from scannerd.config import Config
from scannerd.event_bus import EventBus
from scannerd.hardware import Hardware
from scannerd.process.health_report import HealthReport
from scannerd.requests import Answer, Request
from scannerd.settings.desk import SettingsDesk
from scannerd.store.catalogue import Catalogue
from scannerd.store.scans import ScanStore
from scannerd.viewfinder import Viewfinder
from scannerd.worker_thread import WorkerThread


class Scanner(Protocol):
    """The daemon as its front doors see it."""

    store: ScanStore
    events: EventBus
    board: Board
    catalogue: Catalogue
    """Reads files: call it in the thread `reading`."""
    page_url: str | None
    """The door that has the page puts here where it is, for people on this very machine."""
    new_pairing_code: Callable[[], str] | None
    """The door that pairs puts here how to get a code: a long press of the idle button blinks it on the lamp."""

    @property
    def config(self) -> Config:
        """The settings in force."""

    @property
    def settings(self) -> SettingsDesk:
        """The way to other settings."""

    @property
    def health(self) -> HealthReport:
        """How the device is, as of the latest look."""

    @property
    def hardware(self) -> Hardware:
        """The devices in use; a front door only reads what they say of themselves."""

    @property
    def running(self) -> str | None:
        """The scan that has the table."""

    @property
    def viewfinder(self) -> Viewfinder:
        """What the camera sees."""

    @property
    def reading(self) -> WorkerThread:
        """The thread for reading files that people want to see."""

    @property
    def trouble(self) -> str | None:
        """Why commands are not obeyed now; None when they are."""

    async def ask(self, request: Request) -> Answer:
        """Carry out a command, once for each id, and answer; never raises for a refusal."""

    def forecast(self, wishes: Wishes) -> Forecast:
        """Return what a scan would take. Raises CommandRefused, DriverError."""


class Door(Protocol):
    """A way in. Its troubles stay its own: a broker or port that cannot be had does not stop a scan."""

    @property
    def name(self) -> str:
        """For logs."""

    async def run(self) -> None:
        """Serve until cancelled."""

    def close(self) -> None:
        """Free what it holds, also when it never ran; safe to call twice."""
