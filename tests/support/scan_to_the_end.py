"""Begins a scan, or goes on with it, until it is complete: `python scan_to_the_end.py STORE KIND [MARKS]`.

A whole daemon on the bench with the cheapest camera there is, to be killed at any instant and started again. Exits
with 0 once the scan is sealed. People want photos again or more of them, pause, and do what they are asked. What is
said to be stored, and that somebody is waited for, is also said in MARKS.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench_settings import bench_settings
from numpy.typing import NDArray

from drivers.bench.install import install_bench
from drivers.bench.pins import BenchWiring, LiftWiring
from drivers.bench.scene import Exposure
from drivers.bench.sensor_models import IMX477, IMX708, SensorMode, SensorModel
from scannerd.app import Daemon
from scannerd.commands import Command, ExtendScan, Pause, RawPhotos, Resume, Retake, StartScan
from scannerd.config import Config
from scannerd.events import Event, FrameStored, Outcome, ScanEnded, ScanPaused, ScanStarted
from scannerd.hardware import build_hardware
from scannerd.requests import AnswerStatus, Request
from scannerd.settings.file import parse_config
from scannerd.store.journal import stream
from scannerd.store.layout import StoreLayout

SCAN = "cup"
SPEED = 40.0
PAUSE_S = 0.4
"""What a person takes to answer, in which a kill finds the scan waiting."""
CHEQUERS = np.kron(np.indices((12, 16)).sum(0) % 2 * 120 + 60, np.ones((10, 10))).astype(np.uint8)[:, :, None]


@dataclass(frozen=True)
class Deed:
    """What a person does when so many photos are there."""

    after: int
    command: Command
    line: str | None = None
    """Of the journal, by which a later process knows that it was done; None: each process's people do it again."""


@dataclass(frozen=True)
class Kind:
    """A scan to be interrupted."""

    start: StartScan
    photos: int
    """Of its plan, and those that are added to it."""
    journal_lines: int
    """Of a run that nothing interrupts."""
    deeds: tuple[Deed, ...] = ()
    views: int = 3
    lift: bool = False
    asks: bool = False
    sensor: SensorModel = IMX477


SMALL = replace(IMX477, modes=(SensorMode(320, 240, 12, 1 / 40),))

KINDS = {
    "plain": Kind(StartScan(SCAN), 6, 11, (Deed(3, Retake(1), "retake"),), views=6),
    "raw files": Kind(StartScan(SCAN, raw=RawPhotos.DEVICE), 3, 9, sensor=SMALL),
    "rings and sides": Kind(StartScan(SCAN, rings=2, sides=2), 12, 15, lift=True, asks=True),
    "brackets and repeats": Kind(
        StartScan(SCAN, repeats=2, exposure_bracket=2, focus_bracket=2), 24, 32, (Deed(9, Retake(5), "retake"),),
        sensor=IMX708,
    ),
    "more photos and pauses": Kind(
        StartScan(SCAN),
        10,
        16,
        (
            Deed(1, Pause()),
            Deed(2, ExtendScan(views=4, turn_over=True), "extended"),
            Deed(4, Retake(2), "retake"),
            Deed(5, Pause()),
        ),
        views=6,
        asks=True,
    ),
}  # fmt: skip


def settings(folder: Path, views: int, kind: Kind | None = None) -> Config:
    asks, lift = (kind.asks, kind.lift) if kind is not None else (False, False)
    text = bench_settings(
        folder,
        camera={"width_px": 160, "height_px": 120},
        scan={
            "views": views,
            "settle_s": 0.1,
            "adaptive_settle": False,
            "max_retakes": 0,
            "resume_on_start": True,
        },
        quality={"ask_a_person": asks, "min_relative_sharpness": 0},
        mat={"used": False},
        lift={"driver": "stepper_gpio", "step_deg": 0.05} if lift else {},
    )
    return parse_config(text)


def see(exposure: Exposure, out: NDArray[np.uint8], /) -> None:
    out[:] = CHEQUERS[: out.shape[0], : out.shape[1]]


def was_noted(folder: Path, line: str) -> bool:
    journal = StoreLayout(folder).scan(SCAN).journal
    return journal.exists() and any(each.type == line for each in stream(journal))


class People:
    """Around one process."""

    def __init__(self, daemon: Daemon, folder: Path, kind: Kind, marks: int | None) -> None:
        self._daemon, self._folder, self._marks = daemon, folder, marks
        self._deeds = list(kind.deeds)

    async def live(self, event: Event) -> None:
        """Do what is to be done after an event."""
        if isinstance(event, ScanPaused):
            self._say(kind="paused")
            await asyncio.sleep(PAUSE_S)
            await self._daemon.submit(Resume())
        if isinstance(event, FrameStored):
            self._say(kind="stored", index=event.index)
        if isinstance(event, FrameStored | ScanStarted):
            for deed in [deed for deed in self._deeds if deed.after <= event.frames_done]:
                self._deeds.remove(deed)
                await self._do(deed)

    async def _do(self, deed: Deed) -> None:
        if deed.line is None:
            await self._daemon.submit(deed.command)
        elif not was_noted(self._folder, deed.line):
            await self._daemon.ask(Request(deed.command, f"{deed.line} {os.getpid()}", "test"))

    def _say(self, **what: object) -> None:
        if self._marks is not None:
            os.write(self._marks, json.dumps(what).encode() + b"\n")


async def scan(folder: Path, kind: Kind, marks: int | None) -> str:
    """Return what went wrong, or nothing."""
    layout = StoreLayout(folder)
    wiring = BenchWiring(lift=LiftWiring() if kind.lift else None)
    with install_bench(see, SPEED, wiring, sensor=kind.sensor) as bench:
        config = settings(folder, kind.views, kind)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            if layout.scan(SCAN).manifest.exists():
                return ""
            people = People(daemon, folder, kind, marks)
            if daemon.running is None and not layout.scan(SCAN).plan.exists():
                answer = await daemon.ask(Request(kind.start, f"start {os.getpid()}", "test"))
                if answer.status is not AnswerStatus.ACCEPTED:
                    return f"StartScan: {answer.reason}"
            async for event in events:
                if isinstance(event, ScanEnded):
                    return "" if event.outcome is Outcome.COMPLETED else f"{event.outcome}: {event.error}"
                await people.live(event)
    return "the daemon went down"


def main() -> int:
    folder, kind = Path(sys.argv[1]), KINDS[sys.argv[2]]
    marks = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if len(sys.argv) > 3 else None
    fault = asyncio.run(scan(folder, kind, marks))
    if fault:
        print(fault, file=sys.stderr)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
