"""The push button: a short press starts, pauses or resumes; a long one cancels."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from drivers.protocols import Button
from scannerd.commands import Accepted, Cancel, Command, CommandRefused, Pause, Resume, StartScan
from scannerd.events import PressFailed
from scannerd.scan.phases import Phase

LOG = logging.getLogger(__name__)


class CommandDesk(Protocol):
    """Where commands are handed in."""

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""

    @property
    def interrupted(self) -> str | None:
        """The scan that a fault ended and that Resume would go on with."""

    async def submit(self, command: Command) -> Accepted:
        """Hand in a command. Raises CommandRefused, and whatever the command ran into."""


def short_press_means(phase: Phase, interrupted: str | None) -> Command:
    """Return the one thing that a person who presses now can want."""
    if phase is Phase.IDLE:
        return Resume() if interrupted else StartScan()
    return Resume() if phase is Phase.PAUSED else Pause()


class ButtonControl:
    """Carries presses from the driver's thread to the daemon, in order."""

    def __init__(self, button: Button, desk: CommandDesk, tell: Callable[[PressFailed], None]) -> None:
        """Listen from now on; `tell` hears of presses that failed. Must be called in the event loop's thread."""
        self._desk = desk
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._presses: asyncio.Queue[Callable[[], Command]] = asyncio.Queue(maxsize=8)
        button.on_short_press(lambda: self._pressed(lambda: short_press_means(desk.phase, desk.interrupted)))
        button.on_long_press(lambda: self._pressed(Cancel))

    async def obey(self) -> None:
        """Turn presses into commands until cancelled. Nobody waits for an answer: a refusal is logged and told."""
        while True:
            means = await self._presses.get()
            command = means()
            name = type(command).__name__
            try:
                await self._desk.submit(command)
            except CommandRefused as refusal:
                LOG.warning("button: %s refused: %s", name, refusal)
                self._tell(PressFailed(name, str(refusal)))
            except RuntimeError as fault:
                LOG.error("button: %s failed: %s", name, fault)
                self._tell(PressFailed(name, str(fault)))

    def _pressed(self, means: Callable[[], Command]) -> None:
        """Called in the driver's thread, perhaps while the loop is already going down."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, means)

    def _put(self, means: Callable[[], Command]) -> None:
        if self._presses.full():
            LOG.warning("button: pressed faster than commands are carried out; a press was dropped")
        else:
            self._presses.put_nowait(means)
