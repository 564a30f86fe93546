"""The faults of one demo: when each strikes, a simulated hand that answers the daemon, and what the daemon did."""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.protocols import DriverError
from scannerd.app import Daemon
from scannerd.commands import CommandRefused, Resume
from scannerd.demo.faults import DemoFault, Surroundings
from scannerd.events import Event, FrameJudged, FrameStored, Outcome, ScanEnded, ScanPaused, ScanStarted, Warned
from scannerd.store.durable import StoreFault

LOG = logging.getLogger(__name__)

MOST_ANSWERS = 40
"""A daemon that asks more often is not helped by this hand."""
PHOTOS_TO_NOTICE = 3
"""Photos are judged while the table is on its way to the next: a fault shows some of them later."""
TOLD_AT_MOST = 6
"""Of what the daemon did about one fault."""


class Then(StrEnum):
    """What becomes of the demo after an event."""

    GO_ON = "go on"
    REVIVED = "revived"
    """A run that failed goes on."""
    RESTART = "restart"


@dataclass
class FaultMet:
    """One fault, and what the daemon said from then until the next one."""

    fault: str
    says: str
    after_photos: int
    daemon: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What it did, in a few lines."""
        return self.daemon or ["nothing was noticed, and nothing had to be done"]


class Accidents:
    """Of one demo, in an order that its seed decides."""

    def __init__(self, faults: Sequence[DemoFault], views: int, seed: int) -> None:
        """Faults strike after photos that are spread over the scan."""
        chance = random.Random(seed)
        later = [fault for fault in faults if not fault.at_start]
        chance.shuffle(later)
        spread = views / (len(later) + 1)
        self._due = [
            (max(1, min(views - 2, round(spread * (place + 1)))), fault) for place, fault in enumerate(later)
        ]
        self._at_start = [fault for fault in faults if fault.at_start]
        self._struck: list[DemoFault] = []
        self._answers = 0
        self.met: list[FaultMet] = []

    def begin(self, around: Surroundings) -> None:
        """Let those strike that are there from the start."""
        self._around = around
        for fault in self._at_start:
            self._strike(fault, 0)
        self._at_start = []

    def while_down(self) -> None:
        """The daemon is down; let happen what was to happen then."""
        for fault in self._struck:
            if fault.restarts:
                fault.strike(self._around)
        self._struck = [fault for fault in self._struck if not fault.restarts]

    async def take(self, event: Event, daemon: Daemon) -> Then:
        """Note what the daemon does, answer it, and let the next fault strike."""
        self._note(event)
        match event:
            case ScanPaused() if self.met:
                await self._answer(daemon)
            case ScanEnded(outcome=Outcome.FAILED) if self.met and await self._answer(daemon):
                return Then.REVIVED
            case FrameStored(frames_done=done) if self._is_time(done):
                fault = self._due.pop(0)[1]
                self._strike(fault, done)
                return Then.RESTART if fault.restarts else Then.GO_ON
        return Then.GO_ON

    def _is_time(self, done: int) -> bool:
        """Whether the next fault is due, and the daemon had its chance to notice the last one."""
        if not self._due or done < self._due[0][0]:
            return False
        return not self.met or bool(self.met[-1].daemon) or done >= self.met[-1].after_photos + PHOTOS_TO_NOTICE

    def _strike(self, fault: DemoFault, done: int) -> None:
        LOG.info("fault of the demo: %s", fault.name)
        self.met.append(FaultMet(fault.name, fault.says, done))
        self._struck.append(fault)
        if not fault.restarts:
            fault.strike(self._around)

    async def _answer(self, daemon: Daemon) -> bool:
        """Do what a person would, then let the scan go on; return whether it does."""
        self._answers += 1
        if self._answers > MOST_ANSWERS:
            return False
        for fault in self._struck:
            fault.heal(self._around)
        self._struck.clear()
        # In the daemon's loop: whoever paused has to have come to rest.
        await asyncio.sleep(0)
        try:
            await daemon.submit(Resume())
        except (CommandRefused, DriverError, StoreFault) as refusal:
            self._tell(f"the hand could not go on: {refusal}")
            return False
        self._tell("a hand put it right and went on")
        return True

    def _note(self, event: Event) -> None:
        match event:
            case ScanStarted(frames_done=done) if done:
                self._tell(f"looked where the platter stands, and went on with {done} photos there")
            case Warned(message=message):
                self._tell(message)
            case ScanPaused(question=question):
                self._tell(f"paused: {question or 'no question'}")
            case FrameJudged(verdict=verdict, reason=reason, index=index) if verdict != "accept":
                self._tell(f"photo {index} again: {reason}")
            case ScanEnded(error=str() as error):
                self._tell(f"ended: {error}")

    def _tell(self, what: str) -> None:
        if self.met and len(self.met[-1].daemon) < TOLD_AT_MOST:
            self.met[-1].daemon.append(what)
