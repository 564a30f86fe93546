"""Begins a scan, or goes on with it, until it is complete: `python scan_to_the_end.py STORE VIEWS [MARKS]`.

A whole daemon on the bench with the cheapest camera there is, to be killed at any instant and started again. When the
third photo is there a person wants the second one again. Exits with 0 once the scan is sealed. Each photo that is
said to be stored is also said in MARKS.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.bench.install import install_bench
from drivers.bench.scene import Exposure
from scannerd.app import Daemon
from scannerd.commands import Retake, StartScan
from scannerd.config import Config
from scannerd.events import FrameStored, Outcome, ScanEnded
from scannerd.hardware import build_hardware
from scannerd.requests import AnswerStatus, Request
from scannerd.settings.file import parse_config
from scannerd.store.journal import stream
from scannerd.store.layout import StoreLayout

SCAN = "cup"
SPEED = 40.0
WANTED_AFTER, WANTED = 3, 1
SETTINGS = """
[store]
folder = "{folder}"
reserve_mb = 0
[camera]
metering = "configured"
width_px = 160
height_px = 120
[scan]
views = {views}
settle_s = 0.1
adaptive_settle = false
max_retakes = 0
propose = false
resume_on_start = true
[quality]
ask_a_person = false
min_relative_sharpness = 0
[mat]
used = false
"""
CHEQUERS = np.kron(np.indices((12, 16)).sum(0) % 2 * 120 + 60, np.ones((10, 10))).astype(np.uint8)[:, :, None]


def settings(folder: Path, views: int) -> Config:
    return parse_config(SETTINGS.format(folder=folder, views=views))


def see(exposure: Exposure, out: NDArray[np.uint8], /) -> None:
    out[:] = CHEQUERS[: out.shape[0], : out.shape[1]]


def was_wanted(folder: Path) -> bool:
    journal = StoreLayout(folder).scan(SCAN).journal
    return journal.exists() and any(line.type == "retake" for line in stream(journal))


async def scan(folder: Path, views: int, marks: int | None) -> str:
    """Return what went wrong, or nothing."""
    layout = StoreLayout(folder)
    with install_bench(see, speed=SPEED) as bench:
        config = settings(folder, views)
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            events = daemon.events.subscribe()
            if layout.scan(SCAN).manifest.exists():
                return ""
            if daemon.running is None and not layout.scan(SCAN).plan.exists():
                answer = await daemon.ask(Request(StartScan(SCAN), f"start {os.getpid()}", "test"))
                if answer.status is not AnswerStatus.ACCEPTED:
                    return f"StartScan: {answer.reason}"
            async for event in events:
                if isinstance(event, ScanEnded):
                    return "" if event.outcome is Outcome.COMPLETED else f"{event.outcome}: {event.error}"
                if isinstance(event, FrameStored):
                    if marks is not None:
                        os.write(marks, json.dumps({"kind": "stored", "index": event.index}).encode() + b"\n")
                    if event.frames_done >= WANTED_AFTER and not was_wanted(folder):
                        await daemon.ask(Request(Retake(WANTED), f"again {os.getpid()}", "test"))
    return "the daemon went down"


def main() -> int:
    folder, views = Path(sys.argv[1]), int(sys.argv[2])
    marks = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT, 0o644) if len(sys.argv) > 3 else None
    fault = asyncio.run(scan(folder, views, marks))
    if fault:
        print(fault, file=sys.stderr)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
