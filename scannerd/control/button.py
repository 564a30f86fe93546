"""The push button and its lamp: short presses start, pause, resume and retake, a long one cancels after a warning."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from drivers.protocols import Button
from scannerd.commands import Cancel, Command, Pause, Resume, Retake, StartScan
from scannerd.config import ButtonSection
from scannerd.control.lamp import LampControl
from scannerd.control.presses import Press, Presses, PressTimes
from scannerd.events import Event, PressFailed, Warned
from scannerd.requests import Answer, AnswerStatus, Request, new_command_id
from scannerd.scan.phases import Phase

LOG = logging.getLogger(__name__)

SOURCE = "button"
MOST_EDGES = 256
"""Of a flurry; only the last ones count."""
MOST_COMMANDS = 8


class PressedScanner(Protocol):
    """What the button needs to know of the daemon, and asks of it."""

    @property
    def phase(self) -> Phase:
        """What the daemon does now."""

    @property
    def running(self) -> str | None:
        """The scan that has the table."""

    @property
    def interrupted(self) -> str | None:
        """The scan that a fault ended and that Resume would go on with."""

    @property
    def latest_photo(self) -> int | None:
        """The viewpoint of the running scan's latest photo; None before there is one."""

    async def ask(self, request: Request) -> Answer:
        """Carry out a command and answer; never raises for a refusal."""


def short_press_means(phase: Phase, interrupted: str | None) -> Command:
    """Return the one thing that a person who presses now can want."""
    if phase is Phase.IDLE:
        return Resume() if interrupted else StartScan()
    return Resume() if phase is Phase.PAUSED else Pause()


def press_times(section: ButtonSection) -> PressTimes:
    """Return how long is long, as configured."""
    return PressTimes(section.debounce_s, section.hold_s, section.warn_s, section.stuck_s, section.double_s)


class ButtonControl:
    """Carries presses from the driver's thread to the daemon, in order."""

    def __init__(
        self,
        button: Button,
        lamp: LampControl,
        scanner: PressedScanner,
        times: PressTimes,
        publish: Callable[[Event], None],
        on_idle_long_press: Callable[[], None] = lambda: None,
    ) -> None:
        """Listen from now on; `publish` hears of presses that failed and of a button that sticks.

        Must be called in the event loop's thread.
        """
        self._button = button
        self._lamp = lamp
        self._scanner = scanner
        self._times = times
        self._publish = publish
        self._on_idle_long_press = on_idle_long_press
        self._edges: deque[tuple[bool, float]] = deque(maxlen=MOST_EDGES)
        self._moved = asyncio.Event()
        self._commands: asyncio.Queue[Callable[[], Command | None]] = asyncio.Queue(MOST_COMMANDS)
        self._obeyed: Command | None = None
        """What the latest press has done."""
        self._doomed: str | None = None
        """The scan that the finger on the button is about to cancel."""
        self._loop = asyncio.get_running_loop()
        button.on_edge(self._hear)
        # CLOCK_MONOTONIC is the event loop's clock as well as the driver's.
        self._presses = Presses(times, button.closed_contact, self._loop.time())

    async def run(self) -> None:
        """Turn presses into commands until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(), name="button contact")
                group.create_task(self._obey(), name="button commands")
        finally:
            self._button.on_edge(None)
            self._lamp.warn(False)

    def _hear(self, closed: bool, at_s: float) -> None:
        """Called in the driver's thread, perhaps while the loop is already going down."""
        self._edges.append((closed, at_s))
        if not self._moved.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._moved.set)

    async def _watch(self) -> None:
        presses = self._presses
        while True:
            try:
                async with asyncio.timeout_at(presses.next_s()):
                    await self._moved.wait()
            except TimeoutError:
                pass
            self._moved.clear()
            now_s = self._loop.time()
            while self._edges:
                closed, at_s = self._edges.popleft()
                self._take(presses.edge(closed, at_s))
            self._take(presses.look(now_s))

    def _take(self, presses: list[Press]) -> None:
        for press in presses:
            self._act(press)

    def _act(self, press: Press) -> None:
        scanner = self._scanner
        match press:
            case Press.SHORT:
                self._lamp.hide_code()
                self._put(lambda: short_press_means(scanner.phase, scanner.interrupted))
            case Press.DOUBLE:
                self._put(self._second_press_means)
                self._put(lambda: Resume() if isinstance(self._obeyed, Retake) else None)
            case Press.HELD:
                self._doomed = scanner.running or scanner.interrupted
                if self._doomed is not None:
                    self._lamp.warn(True)
                else:
                    self._on_idle_long_press()
            case Press.LET_GO:
                self._doomed = None
                self._lamp.warn(False)
            case Press.LONG:
                self._lamp.warn(False)
                doomed, self._doomed = self._doomed, None
                if doomed is not None:
                    self._put(lambda: self._cancel(doomed))
            case Press.STUCK:
                self._tell(
                    f"held down for more than {self._times.stuck_s:g} s, or from the start; it is ignored until it "
                    "is let go: see what leans on it, then check its wires for a short circuit to ground"
                )
            case Press.CHATTERING:
                self._tell("its contact opens and closes without rest; it is ignored until it rests: check its wires")
            case Press.FREED:
                self._tell("works again")

    def _second_press_means(self) -> Command:
        """After a pause or a going on: the latest photo is to be taken again; else a press like any other."""
        latest = self._scanner.latest_photo
        if isinstance(self._obeyed, Pause | Resume) and latest is not None:
            return Retake(latest)
        return short_press_means(self._scanner.phase, self._scanner.interrupted)

    def _cancel(self, scan_id: str) -> Command | None:
        """Cancel the scan that was warned about, unless it has ended by itself meanwhile."""
        alive = scan_id in (self._scanner.running, self._scanner.interrupted)
        return Cancel(scan_id) if alive else None

    def _tell(self, what: str) -> None:
        LOG.warning("button: %s", what)
        self._publish(Warned(f"button: {what}"))

    def _put(self, means: Callable[[], Command | None]) -> None:
        if self._commands.full():
            LOG.warning("button: pressed faster than commands are carried out; a press was dropped")
        else:
            self._commands.put_nowait(means)

    async def _obey(self) -> None:
        """Hand commands in, one after the other. Whoever pressed cannot be answered: a refusal is published."""
        while True:
            command = (await self._commands.get())()
            if command is None:
                continue
            answer = await self._scanner.ask(Request(command, new_command_id(), SOURCE))
            accepted = answer.status is AnswerStatus.ACCEPTED
            self._obeyed = command if accepted else None
            if not accepted:
                self._publish(PressFailed(type(command).__name__, answer.reason or str(answer.status)))
