"""Being the daemon for one command, and a scan told line by line."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from drivers.protocols import Clock
from scannerd.app import Daemon
from scannerd.commands import Command, Resume, Stop
from scannerd.config import Config
from scannerd.events import (
    Event,
    FrameJudged,
    FramesLost,
    FrameStored,
    Outcome,
    ScanEnded,
    ScanPaused,
    ScanStarted,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.hardware import build_hardware
from scannerd.process.leash import Abandoned
from scannerd.scan.fault_policy import HANDLING, Then
from scannerd.shell import FAILED, say


@asynccontextmanager
async def _daemon(config: Config, clock: Clock | None = None) -> AsyncIterator[Daemon]:
    """Be the daemon for one command. What hangs at the end would keep the process alive: it is ended then."""
    try:
        async with Daemon(config, build_hardware(config, clock)) as daemon:
            yield daemon
    except Abandoned as left:
        say(f"scannerd: {left}")
        os._exit(FAILED)


async def scan_once(config: Config, command: Command) -> ScanEnded | None:
    """Run one scan and tell it; None when a signal ended it first. Raises CommandRefused, StoreFault, DriverError."""
    async with _daemon(config) as daemon:
        scans = daemon.store.layout.scans
        with daemon.events.subscribe() as events:
            _on_signals(events.close)
            await daemon.submit(command)
            async for event in events:
                _tell(event, scans)
                if isinstance(event, ScanPaused) and event.question and _nobody_can_answer(config):
                    answer = _answer_to(event.fault_kind)
                    if answer is not None:
                        await daemon.submit(answer)
                if isinstance(event, ScanEnded):
                    return event
    return None


async def obey_once(config: Config, command: Command, clock: Clock | None = None) -> None:
    """Carry out one command that is not a scan. Raises CommandRefused, StoreFault, DriverError."""
    async with _daemon(config, clock) as daemon:
        await daemon.submit(command)


def exit_code_of(ended: ScanEnded | None) -> int:
    """Return 0 for a complete scan only."""
    return 0 if ended is not None and ended.outcome is Outcome.COMPLETED else FAILED


def _on_signals(callback: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, callback)


def _answer_to(fault: FaultKind | None) -> Command | None:
    """Return what is said for a person who is not there: a fault would only come again, so the scan ends resumable.

    None where it goes on by itself.
    """
    if fault is None:
        return Resume()
    return None if HANDLING[fault].then is Then.WAIT else Stop()


def _nobody_can_answer(config: Config) -> bool:
    """Without a button a question would wait for ever: the photo is taken once more and kept."""
    return config.button.driver == "none"


def _tell(event: Event, scans: Path) -> None:
    match event:
        case ScanStarted():
            rest = event.frames_planned - event.frames_done
            say(f"scan {event.scan_id}: {rest} of {event.frames_planned} photos to take, in {scans / event.scan_id}")
        case FramesLost():
            say(f"  {len(event.indices)} of the photos already taken are damaged, and are taken again")
        case FrameStored():
            say(
                f"  {event.frames_done}/{event.frames_planned}  {event.angle_deg:6.2f}°  "
                f"{event.times.total_s:.2f} s (floor {event.times.floor_s:.2f} s)"
            )
        case FrameJudged() if event.verdict != "accept":
            say(f"  photo {event.index}, attempt {event.attempt}: {event.verdict}: {event.reason}")
        case ScanPaused():
            say(f"paused{': ' + event.question if event.question else ''}; press to go on, hold to cancel")
        case Warned():
            say(f"  {event.message}")
        case ScanEnded() if event.outcome is Outcome.COMPLETED:
            say(f"scan {event.scan_id}: complete, {event.frames_done} photos, {event.retakes} retakes")
        case ScanEnded():
            how = f"scan {event.scan_id}: {event.outcome} with {event.frames_done} of {event.frames_planned} photos"
            say(f"{how}{': ' + event.error if event.error else ''}")
            if event.resumable:
                say(f"go on with: scannerd scan --resume {event.scan_id}")
        case _:
            pass


def write_file(path: Path, data: bytes) -> None:
    """Write a file that a person asked for, or say why not and exit with 1."""
    try:
        path.write_bytes(data)
    except OSError as error:
        say(f"scannerd: {path}: cannot be written: {error.strerror}; name a file in a folder that is there")
        raise typer.Exit(FAILED) from error
