"""The demo from start to end: a person puts a thing on the table, presses the button and gets a model."""

import asyncio
import logging
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from drivers.bench.install import Bench, install_bench
from drivers.bench.render_process import RenderProcess
from drivers.bench.supply import SimulatedSupply
from offload.wire.jobs import JobState
from scannerd.app import Daemon
from scannerd.commands import CaptureBackground, ResumeScan
from scannerd.demo.accidents import Accidents, Then
from scannerd.demo.aside import run_aside
from scannerd.demo.companions import Companions
from scannerd.demo.display import Display
from scannerd.demo.faults import Disk, Surroundings, faults_named
from scannerd.demo.finished import Finished, peak_rss_mb
from scannerd.demo.leftover import Leftover
from scannerd.demo.options import DemoOptions
from scannerd.demo.outside_faults import DemoFailed
from scannerd.demo.progress import ScanProgress
from scannerd.demo.setting import (
    demo_card,
    demo_config,
    demo_link,
    demo_mechanics,
    demo_wiring,
    other_cameras,
    scans_folder,
)
from scannerd.demo.summary import Summary
from scannerd.demo.turntables import serial_turntable
from scannerd.event_bus import Subscription
from scannerd.events import Outcome
from scannerd.hardware import build_hardware
from scannerd.process.vitals import read_vitals
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, ScanSummary

LOOK_S = 0.15
"""How often the display is drawn and sync's state file is read."""
QUIET_LIMIT_S = 300.0
"""So long may a job show no change before the demo gives up."""
TROUBLE_LIMIT_S = 60.0
"""So long may sync be in trouble without anything getting through: all of it is on this very machine."""


async def run_demo(options: DemoOptions, display: Display) -> Summary:
    """Scan, upload, reconstruct, fetch, judge. Raises DemoFailed, CompanionFailed, DriverError, StoreFault."""
    started_s = time.monotonic()
    make_usable(options.out)
    log_into(options.out / "logs" / "daemon.log")
    with closing(StoreLock(options.out / "demo.lock")):
        scene_file: Path = await run_aside("scannerd.demo.stage:write_demo_scene", options)
        progress, leftover = ScanProgress(), Leftover(options)
        accidents = Accidents(faults_named(options.faults), options.views, options.seed)
        unfinished = leftover.find()
        with closing(RenderProcess(scene_file)) as renderer:
            renderer.prepare(options.width_px, options.height_px)
            service_dir, log_dir = options.out / "service", options.out / "logs"
            link = demo_link(options)
            with Companions(service_dir, scans_folder(options.out), log_dir, link, options.seed) as companions:
                if unfinished is not None and unfinished.state is ScanState.SEALED:
                    _take_up(unfinished, progress, display)
                else:
                    await _scan(options, renderer, unfinished, progress, display, accidents)
                daemon_peak_mb = peak_rss_mb()
                renderer.close()
                scan_dir = scans_folder(options.out) / str(progress.scan_id)
                await _wait_for_model(scan_dir, companions, progress, display)
                record = leftover.record(scan_dir.name)
                worker_json = companions.service_dir / "workers" / "1" / "worker.json"
                seconds = time.monotonic() - started_s
                finished = Finished(scan_dir, scene_file, progress, record, daemon_peak_mb, worker_json, seconds)
                summary: Summary = await run_aside("scannerd.demo.measure:summarise", finished)
                met = tuple(
                    {"fault": met.fault, "says": met.says, "after_photos": met.after_photos, "daemon": met.lines}
                    for met in accidents.met
                )
                return replace(summary, faults=met)


def make_usable(out: Path) -> None:
    """Make the folder unless it is there. Raises DemoFailed if nothing can be written to it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoFailed(f"{out}: cannot be made a folder: {error.strerror}; choose another folder") from error
    for folder in (out, scans_folder(out), out / "service", out / "logs"):
        if folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
            raise DemoFailed(f"{folder}: is no folder that you may write to; change that, or choose another folder")


def log_into(path: Path) -> None:
    """Let what this process logs go to a file; people are told in the demo's own words."""
    path.parent.mkdir(exist_ok=True)
    logging.basicConfig(filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


def _take_up(scan: ScanSummary, progress: ScanProgress, display: Display) -> None:
    """Start from a scan whose photos are all there and whose model is not."""
    progress.scan_id, progress.phase = scan.scan_id, "sealed"
    progress.frames_done, progress.frames_planned = scan.frames_done, scan.frames_planned
    display.say(f"going on with {scan.scan_id}: all {scan.frames_done} photos are there, the model is not yet")


async def _scan(
    options: DemoOptions,
    renderer: RenderProcess,
    unfinished: ScanSummary | None,
    progress: ScanProgress,
    display: Display,
    accidents: Accidents,
) -> None:
    config, supply, disk = demo_config(options), SimulatedSupply(options.out / "sysfs"), Disk()
    store = ScanStore(StoreLayout(options.out), config.store.reserve_bytes, free_bytes=disk.free_bytes)
    wiring, mechanics = demo_wiring(config), demo_mechanics(options)
    table = serial_turntable(config)
    with (
        install_bench(
            renderer.render_into,
            options.speed,
            wiring,
            mechanics,
            turntable=table,
            others=other_cameras(config),
        ) as bench,
        demo_card(options, bench.clock),
    ):
        accidents.begin(Surroundings(bench, supply, disk))
        while True:
            hardware = build_hardware(config, bench.clock)
            async with Daemon(config, hardware, store, vitals=lambda: read_vitals(supply.sysfs)) as daemon:
                with daemon.events.subscribe() as events:
                    await _begin(options, unfinished, daemon, bench, display)
                    then = await _watch(events, scans_folder(options.out), progress, display, accidents, daemon)
            if then is not Then.RESTART:
                break
            accidents.while_down()
            progress.ended, unfinished = None, Leftover(options).find()
    if progress.press_failed:
        raise DemoFailed(f"no scan was begun: {progress.press_failed}")
    ended = progress.ended
    if ended is None or ended.outcome is not Outcome.COMPLETED:
        why = ended.error if ended and ended.error else "it was ended before all photos were taken"
        raise DemoFailed(f"the scan is not complete: {why}; the same command goes on with it")


async def _begin(
    options: DemoOptions, unfinished: ScanSummary | None, daemon: Daemon, bench: Bench, display: Display
) -> None:
    """Go on with this demo's unfinished scan, or show the camera an empty table, put the thing on it and press."""
    if unfinished is not None:
        display.say(f"going on with {unfinished.scan_id}: {unfinished.frames_done} photos are there already")
        await daemon.submit(ResumeScan(unfinished.scan_id))
        return
    Leftover(options).remember()
    display.say("photographing the empty table")
    bench.world.remove_object()
    await daemon.submit(CaptureBackground())
    bench.world.place_object()
    display.say("pressing the button")
    await asyncio.to_thread(bench.finger.press)


async def _watch(
    events: Subscription,
    scans_dir: Path,
    progress: ScanProgress,
    display: Display,
    accidents: Accidents,
    daemon: Daemon,
) -> Then:
    """Take events until the scan has ended, or the daemon is to be started again; draw at a steady pace meanwhile."""
    drawing = asyncio.create_task(_draw(scans_dir, progress, display), name="demo display")
    try:
        async for event in events:
            progress.take(event)
            then = await accidents.take(event, daemon)
            if then is Then.REVIVED:
                progress.ended = None
            if then is Then.RESTART or progress.ended is not None or progress.press_failed is not None:
                return then
    finally:
        drawing.cancel()
        await asyncio.wait({drawing})
        display.show(progress)
    return Then.GO_ON


async def _draw(scans_dir: Path, progress: ScanProgress, display: Display) -> None:
    while True:
        if progress.scan_id:
            progress.read_sync(scans_dir / progress.scan_id)
        display.show(progress)
        await asyncio.sleep(LOOK_S)


async def _wait_for_model(scan_dir: Path, companions: Companions, progress: ScanProgress, display: Display) -> None:
    """Return once the results are in the scan's folder. Raises DemoFailed when the job failed or nothing moves."""
    last, changed_s = None, time.monotonic()
    while not (progress.sync and progress.sync.results_in_place):
        companions.check()
        progress.read_sync(scan_dir)
        display.show(progress)
        if progress.job and progress.job.state in (JobState.FAILED, JobState.CANCELLED):
            raise DemoFailed(f"job {progress.job.job_id} {progress.job.state}: {progress.job.error}")
        if (sign := progress.sign_of_life()) != last:
            last, changed_s = sign, time.monotonic()
        trouble = progress.sync.last_error if progress.sync else None
        quiet_s = time.monotonic() - changed_s
        if quiet_s > (TROUBLE_LIMIT_S if trouble else QUIET_LIMIT_S):
            raise DemoFailed(
                f"nothing moved for {quiet_s:.0f} s{f' ({trouble})' if trouble else ''}; see the logs in "
                f"{scan_dir.parents[1] / 'logs'}; what was scanned stays, and the same command goes on with it"
            )
        await asyncio.sleep(LOOK_S)
