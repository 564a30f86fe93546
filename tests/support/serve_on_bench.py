"""The daemon as a service on the bench, in a process of its own, that tells on stdout what truly happens.

`python serve_on_bench.py CONFIG [--at PHASE] [--index N] [--then SIGNAL,…] [--hang camera|disk|loop] [--work WORK]`:
at the given phase of the given viewpoint something begins to hang, and the process sends itself the signals.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scan_on_bench import OverheadCamera

from drivers.bench.install import Bench, install_bench
from offload.logs.journal import start_logging
from scannerd.app import Daemon
from scannerd.commands import CaptureBackground, Command, Jog, Pause, StartScan
from scannerd.event_bus import Numbered
from scannerd.events import PhaseChanged
from scannerd.process.serving import serve
from scannerd.settings.file import read_config
from scannerd.store.layout import StoreLayout

WORK: dict[str, Command | None] = {
    "scan": StartScan("cup"),
    "background": CaptureBackground(),
    "jog": Jog(350.0),
    "none": None,
}


def say(line: str) -> None:
    print(line, flush=True)


def listen_to_enable(bench: Bench) -> None:
    """Tell every level of the motor driver's ENABLE, and how many steps came before."""
    wire = bench.pins.wires["GPIO5"]

    def told(level: float) -> None:
        wire.hear(level)
        say(f"enable {level:.0f} after {bench.world.pulses} steps")

    bench.pins.wires["GPIO5"] = replace(wire, hear=told)


class Scene:
    """What happens, and when."""

    def __init__(self, options: argparse.Namespace, bench: Bench, store: Path) -> None:
        self._options = options
        self._bench = bench
        self._frames = StoreLayout(store).scan("cup").frames
        self._work: asyncio.Task[object] | None = None
        self._happened = False

    def begin(self, daemon: Daemon) -> None:
        say("ready")
        daemon.events.follow(self._hear)
        work = WORK[self._options.work]
        if work is not None:
            self._work = asyncio.get_running_loop().create_task(daemon.submit(work))
        if self._options.at == "paused":
            self._pausing = asyncio.get_running_loop().create_task(self._pause(daemon))

    async def _pause(self, daemon: Daemon) -> None:
        await asyncio.sleep(0)
        await daemon.submit(Pause())

    def _hear(self, numbered: Numbered) -> None:
        event = numbered.event
        if not isinstance(event, PhaseChanged):
            return
        say(f"phase {event.phase} {event.index}")
        here = event.phase == self._options.at and event.index in (None, self._options.index)
        if here and not self._happened:
            self._happened = True
            self._hang()
            say(f"signal {time.monotonic()}")
            for name in self._options.then:
                os.kill(os.getpid(), signal.Signals[name])

    def _hang(self) -> None:
        match self._options.hang:
            case "camera":
                self._bench.world.camera_hangs = True
            case "disk":
                # Opening a pipe that nobody reads blocks in the kernel, as a dying disk does.
                os.mkfifo(self._frames / f".{self._options.index:04d}.jpg.part")
            case "loop":
                asyncio.get_running_loop().call_soon(time.sleep, 60)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--work", choices=WORK, default="scan")
    parser.add_argument("--at", default="never")
    parser.add_argument("--index", type=int, default=1)
    parser.add_argument("--then", type=lambda names: names.split(","), default=[])
    parser.add_argument("--hang", choices=["camera", "disk", "loop"])
    parser.add_argument("--speed", type=float, default=2.0)
    options = parser.parse_args(arguments)
    start_logging("scannerd")
    config = read_config(options.config)
    with install_bench(OverheadCamera(), speed=options.speed) as bench:
        listen_to_enable(bench)
        scene: Callable[[Daemon], None] = Scene(options, bench, config.store.folder).begin
        asyncio.run(serve(config, options.config, bench.clock, scene))


if __name__ == "__main__":
    main(sys.argv[1:])
