"""The daemon on the simulated bench, in real time and until it is stopped: every front door, and no hardware."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from drivers.bench.hand import Hand
from drivers.bench.install import Bench, install_bench
from drivers.bench.render_process import RenderProcess
from drivers.bench.supply import SimulatedSupply
from scannerd import console, shell
from scannerd.app import Daemon
from scannerd.commands import CaptureBackground
from scannerd.config import Config
from scannerd.demo.aside import run_aside
from scannerd.demo.bench_options import BenchOptions, bench_config, bench_mechanics, bench_wiring, on_bench
from scannerd.demo.companions import Companions
from scannerd.demo.options import DemoOptions
from scannerd.demo.run import make_usable
from scannerd.demo.setting import demo_lift, other_cameras, scans_folder
from scannerd.demo.turntables import serial_lift, serial_turntable
from scannerd.process.serving import serve
from scannerd.process.vitals import read_vitals
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock

LOG = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often the processes beside the daemon are looked after."""


async def run_bench(options: BenchOptions) -> None:
    """Be the daemon on the bench until SIGTERM or SIGINT.

    Raises ConfigFaults, CompanionFailed, DemoFailed, DriverError, MeshFileError, OSError, StoreFault.
    """
    config = bench_config(options)
    store = config.store.folder
    make_usable(store)
    with closing(StoreLock(store / "bench.lock")):
        scene_file: Path = await run_aside("scannerd.demo.stage:write_demo_scene", DemoOptions(store, options.mesh))
        supply = SimulatedSupply(store / "sysfs")
        with _installed(options, config, scene_file, supply) as bench:
            if options.background:
                await _photograph_empty_table(config, bench)
            await _serve(options, config, bench, supply)


@contextmanager
def _installed(options: BenchOptions, config: Config, scene_file: Path, supply: SimulatedSupply) -> Iterator[Bench]:
    """The bench beneath the drivers, its hand within reach."""
    with ExitStack() as stack:
        renderer = stack.enter_context(RenderProcess(scene_file))
        renderer.prepare(config.camera.width_px, config.camera.height_px)
        wiring, mechanics, lift = bench_wiring(config), bench_mechanics(config, options), demo_lift(config)
        table, arm = serial_turntable(config), serial_lift(config)
        bench = stack.enter_context(
            install_bench(
                renderer.render_into,
                options.speed,
                wiring,
                mechanics,
                lift,
                turntable=table,
                lift_controller=arm,
                others=other_cameras(config),
            )
        )
        hand = options.hand or config.store.folder / "hand.sock"
        stack.enter_context(Hand(bench, hand, supply))
        shell.say(f"bench: a hand reaches in at {hand}; try `scannerd bench-hand --hand {hand} press`")
        yield bench


async def _photograph_empty_table(config: Config, bench: Bench) -> None:
    """Do what a person does once, unless it was done before: clear the table, take its photo, put the thing back."""
    layout, names = StoreLayout(config.store.folder), ("", *(other.name for other in config.cameras))
    if all(layout.background_of(number, name).exists() for number, name in enumerate(names)):
        return
    shell.say("bench: photographing the empty table")
    bench.world.remove_object()
    try:
        await console.obey_once(config, CaptureBackground(), bench.clock)
    finally:
        bench.world.place_object()


async def _serve(options: BenchOptions, config: Config, bench: Bench, supply: SimulatedSupply) -> None:
    with ExitStack() as stack:
        companions: Companions | None = None
        if options.service:
            store = config.store.folder
            companions = Companions(store / "service", scans_folder(store), store / "logs")
            # Starting waits for the service's port.
            await asyncio.to_thread(stack.enter_context, companions)
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(_look_after(companions), name="companions")
            try:
                vitals, fit = partial(read_vitals, supply.sysfs), partial(on_bench, options)
                await serve(config, options.config, bench.clock, _ready, vitals, fit)
            finally:
                looking.cancel()


async def _look_after(companions: Companions | None) -> None:
    """Raise CompanionFailed as soon as one of the processes has ended on its own."""
    while companions is not None:
        companions.check()
        await asyncio.sleep(LOOK_S)


def _ready(daemon: Daemon) -> None:
    """Tell people, and programs that wait for the last line, where the front doors are."""
    web = daemon.config.web
    if daemon.page_url is not None:
        shell.say(f"bench: the page is at {daemon.page_url}")
    if web.enabled and web.socket is not None:
        shell.say(f"bench: `scannerd pair --socket {web.socket}` gives a code, `scannerd tell` and `state` work, too")
    if daemon.new_pairing_code is not None:
        shell.say(f"bench: pairing code {daemon.new_pairing_code()}, for the next two minutes")
    shell.say("bench: ready; Ctrl-C ends it, and the same command goes on with what is in its store")
