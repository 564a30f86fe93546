"""One measured run of the capture bench, in a process of its own: `python capture_run.py HOW OPTIONS`, in JSON."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench_scanner import ScannerOptions, WatchedAlbum, card_beneath, real_time_bench
from capture_floor import Floor, floors
from frame_cost import frame_cost
from sequential_loop import sequential_scan

from drivers.bench.install import Bench
from drivers.bench.sd_card import SdCard
from drivers.protocols import Camera
from scannerd.app import Daemon
from scannerd.commands import ResumeScan, StartScan
from scannerd.event_bus import Subscription
from scannerd.events import FrameStored, Outcome, PhaseChanged, ScanEnded
from scannerd.hardware import Hardware, build_hardware
from scannerd.quality.gate import Gate
from scannerd.scan.background import camera_model
from scannerd.scan.phases import Phase
from scannerd.scan.plan import Viewpoint, plan_scan, viewpoints_on
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

SCAN = "capture-bench"
FIRST_WEIGHED = 20


@dataclass(frozen=True)
class Run:
    """What one run of a scan came to. Times are the bench's."""

    viewpoints: int
    seconds: float
    """From the first move's order to the last photo that counts on the disk."""
    floors: list[Floor]
    settles_s: list[float]
    """From the last step to the exposure, for each viewpoint that the table moved to."""
    retaken: int
    peak_mb: float
    """Largest resident size of this process: daemon, drivers and the simulated hardware but for the renderer."""
    pictures: int
    rendered: int
    """Pictures that the album had nothing true for."""
    blurs_px: list[float]
    """By how much each photo smears the object's rim: the truth about settling."""
    cpu_s: float
    """Of this process, from the first move to the last photo."""
    ended: str = "completed"
    error: str | None = None
    card_s: float = 0.0
    """For which the memory card was busy, where there is one."""
    card_longest_s: float = 0.0
    """What one fsync took at most."""
    photo_mb: float = 0.0
    weights_mb: list[tuple[float, float]] = field(default_factory=list)
    """Resident size of this process after each photo, and what of it is its own: the rest are files, and memory that
    it shares with the camera and the renderer."""


def main() -> int:
    """Run what the arguments say and print the result."""
    how, options = sys.argv[1], ScannerOptions(**json.loads(sys.argv[2]))
    print(json.dumps(asyncio.run(RUNS[how](options))))
    return 0


async def overlapped(options: ScannerOptions) -> dict[str, Any]:
    """The daemon itself: StartScan, and events until the end."""
    with real_time_bench(options) as (bench, album), card_beneath(options, bench) as card:
        async with _daemon(options, bench) as (daemon, hardware):
            events = daemon.events.subscribe()
            await daemon.submit(StartScan(SCAN))
            scan = await _follow(events, bench)
            camera = hardware.camera
            angles_deg = [view.angle_deg for view in viewpoints_on(options.views)]
            return _result(
                options, bench, album, hardware, scan, _floors(options, bench, hardware, angles_deg, camera), card
            )


async def sequential(options: ScannerOptions) -> dict[str, Any]:
    """The peer: move, fixed dwell, capture, judge, encode, hash, write and journal, one after the other."""
    with real_time_bench(options) as (bench, album), card_beneath(options, bench) as card:
        hardware = build_hardware(options.config, bench.clock)
        try:
            await hardware.camera.open()
            await hardware.axis.home()
            scan = _Followed(began_s=bench.clock.now_s(), cpu_began_s=time.process_time())
            async for stored in sequential_scan(
                options.config, hardware, Path(options.store), bench.clock.from_monotonic_s
            ):
                scan.settles_s.append(stored.settle_s)
                scan.bytes += stored.size_bytes
                scan.take(bench, stored=True)
            angles_deg = [view.angle_deg for view in viewpoints_on(options.views)]
            floor = _floors(options, bench, hardware, angles_deg, hardware.camera)
            return _result(options, bench, album, hardware, scan, floor, card)
        finally:
            await _close(hardware)


async def memory(options: ScannerOptions) -> dict[str, Any]:
    """A scan of very many viewpoints, which go round and round at the album's angles.

    The bench's own memory is full before the first weighing: it remembers some 16000 steps, which are 20 of these
    photos. From then on it grows by some 100 bytes a photo, the platter's angle and travel.
    """
    count = options.views_in_all
    with real_time_bench(options) as (bench, album):
        async with _daemon(options, bench) as (daemon, hardware):
            config = options.config
            plan = plan_scan(config, camera_model(hardware.camera), SCAN, datetime.now(UTC))
            views = tuple(Viewpoint(index=index, angle_deg=index * 360 / options.views) for index in range(count))
            with ScanStore(StoreLayout(config.store.folder)).begin(plan.model_copy(update={"viewpoints": views}))[0]:
                pass
            events = daemon.events.subscribe()
            await daemon.submit(ResumeScan(SCAN))
            return _result(options, bench, album, hardware, await _follow(events, bench), [])


async def cost(options: ScannerOptions) -> dict[str, Any]:
    """What each stage of one photo takes of a core."""
    with real_time_bench(options) as (bench, _):
        hardware = build_hardware(options.config, bench.clock)
        try:
            await hardware.camera.open()
            await hardware.axis.home()
            frame = await hardware.camera.capture()
            model, config = camera_model(hardware.camera), options.config
        finally:
            await _close(hardware)
    return frame_cost(
        frame, model, Gate(config.quality, config.mat.spec()), config.camera.jpeg_quality, Path(options.store)
    )


RUNS = {"overlapped": overlapped, "sequential": sequential, "memory": memory, "cost": cost}


@dataclass
class _Followed:
    began_s: float = 0.0
    ended_s: float = 0.0
    cpu_began_s: float = 0.0
    cpu_ended_s: float = 0.0
    stored: int = 0
    bytes: int = 0
    retaken: int = 0
    outcome: Outcome = Outcome.COMPLETED
    error: str | None = None
    settles_s: list[float] = field(default_factory=list)
    weights_mb: list[tuple[float, float]] = field(default_factory=list)

    def take(self, bench: Bench, *, stored: bool) -> None:
        """Something happened at this moment."""
        self.stored += stored
        self.ended_s, self.cpu_ended_s = bench.clock.now_s(), time.process_time()
        self.weights_mb.append((round(_status_mb("VmRSS"), 2), round(_status_mb("RssAnon"), 2)))


async def _follow(events: Subscription, bench: Bench) -> _Followed:
    scan = _Followed()
    async for event in events:
        match event:
            case PhaseChanged(phase=Phase.MOVING) if not scan.began_s:
                scan.began_s, scan.cpu_began_s = bench.clock.now_s(), time.process_time()
            case FrameStored():
                if event.times.move_s > 0 and event.index > 0:
                    scan.settles_s.append(event.times.settle_s)
                scan.bytes += event.size_bytes
                scan.take(bench, stored=True)
            case ScanEnded():
                scan.outcome, scan.error, scan.retaken = event.outcome, event.error, event.retakes
                return scan
    raise RuntimeError("the daemon went down before the scan ended")


def _floors(
    options: ScannerOptions, bench: Bench, hardware: Hardware, angles_deg: list[float], camera: Camera
) -> list[Floor]:
    exposure_s, readout_s = camera.settings.exposure_us * 1e-6, camera.description.readout_s
    platter, scene = bench.world.platter, options.load_scene()
    return floors(angles_deg, hardware.axis, platter, scene, options.size_px, exposure_s, readout_s)


def _result(
    options: ScannerOptions,
    bench: Bench,
    album: WatchedAlbum,
    hardware: Hardware,
    scan: _Followed,
    found: list[Floor],
    card: SdCard | None = None,
) -> dict[str, Any]:
    run = Run(
        viewpoints=scan.stored,
        seconds=scan.ended_s - scan.began_s,
        floors=found,
        settles_s=scan.settles_s,
        retaken=scan.retaken,
        peak_mb=_status_mb("VmHWM"),
        pictures=album.developed,
        rendered=album.rendered,
        blurs_px=[round(blur, 3) for blur in album.blurs_px(options.load_scene())],
        cpu_s=scan.cpu_ended_s - scan.cpu_began_s,
        ended=str(scan.outcome),
        error=scan.error,
        card_s=card.busy_s if card is not None else 0.0,
        card_longest_s=card.longest_s if card is not None else 0.0,
        photo_mb=scan.bytes / max(scan.stored, 1) / 1e6,
        weights_mb=scan.weights_mb,
    )
    return asdict(run)


@asynccontextmanager
async def _daemon(options: ScannerOptions, bench: Bench) -> AsyncIterator[tuple[Daemon, Hardware]]:
    hardware = build_hardware(options.config, bench.clock)
    async with Daemon(options.config, hardware) as daemon:
        yield daemon, hardware


async def _close(hardware: Hardware) -> None:
    await hardware.camera.close()
    await hardware.axis.close()
    for device in (hardware.button, hardware.lamp, hardware.light):
        if device is not None:
            device.close()


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
