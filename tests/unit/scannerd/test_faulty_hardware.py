"""What the daemon does when a driver says no. The axis is real, on the bench; only the camera's faults are put on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scan_on_bench import bench_config, until

from drivers.bench.install import Bench
from drivers.protocols import (
    Camera,
    CameraDescription,
    CameraSettings,
    CameraTimeout,
    DriverError,
    Frame,
    Glimpse,
    NeedsPerson,
    Window,
    always,
)
from scannerd.app import Daemon
from scannerd.commands import Cancel, Resume, ResumeScan, StartScan
from scannerd.config import Config
from scannerd.event_bus import Subscription
from scannerd.events import Event, FrameStored, Outcome, ScanEnded, ScanPaused, ScanStarted
from scannerd.fault_kind import FaultKind
from scannerd.hardware import Hardware, build_hardware
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summary_of


class FaultyCamera:
    """`Camera` whose next captures raise what `faults` holds."""

    def __init__(self, sound: Camera) -> None:
        self._sound = sound
        self.faults: list[DriverError] = []
        self.spared = 0

    @property
    def description(self) -> CameraDescription:
        return self._sound.description

    async def open(self) -> None:
        await self._sound.open()

    @property
    def settings(self) -> CameraSettings:
        return self._sound.settings

    async def meter(self, window: Window) -> CameraSettings:
        return await self._sound.meter(window)

    async def keep_raw(self, wanted: bool) -> None:
        await self._sound.keep_raw(wanted)

    async def lock(self, settings: CameraSettings) -> CameraSettings:
        return await self._sound.lock(settings)

    async def pace(self, frame_s: float | None) -> None:
        await self._sound.pace(frame_s)

    async def glimpse(self) -> Glimpse:
        return await self._sound.glimpse()

    async def capture(self, keep: Callable[[Glimpse], bool] = always) -> Frame:
        if self.spared:
            self.spared -= 1
        elif self.faults:
            raise self.faults.pop(0)
        return await self._sound.capture(keep)

    async def close(self) -> None:
        await self._sound.close()


def faulty(config: Config, bench: Bench) -> tuple[Hardware, FaultyCamera]:
    sound = build_hardware(config, bench.clock)
    camera = FaultyCamera(sound.camera)
    return replace(sound, camera=camera), camera


async def ended(events: Subscription) -> tuple[ScanEnded, list[Event]]:
    seen: list[Event] = []
    async with asyncio.timeout(90):
        async for event in events:
            seen.append(event)
            if isinstance(event, ScanEnded):
                return event, seen
    raise AssertionError("the daemon went down before the scan ended")


async def test_a_photo_that_did_not_come_is_asked_for_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, camera = faulty(config, bench)
    camera.spared, camera.faults = 2, [CameraTimeout("no image"), CameraTimeout("no image")]
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        end, seen = await ended(events)
    assert (end.outcome, end.retakes) == (Outcome.COMPLETED, 2)
    assert [(event.index, event.attempt) for event in seen if isinstance(event, FrameStored)] == [
        (0, 1), (1, 1), (2, 3), (3, 1)
    ]  # fmt: skip


async def test_a_camera_that_stays_silent_pauses_the_scan_and_resume_takes_the_rest(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, camera = faulty(config, bench)
    camera.spared, camera.faults = 2, [CameraTimeout("no image from imx477 in 4.0 s")] * 3
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        paused = (await until(events, ScanPaused))[-1]
        assert paused == ScanPaused(
            "cup",
            "frame 2 at 180.0°: no image from imx477 in 4.0 s; check the ribbon cable, then Resume",
            FaultKind.CAMERA_SILENT,
        )
        assert not bench.board.enabled, "the motor is off at once"
        await daemon.submit(Resume())
        end, seen = await ended(events)
    assert end.outcome is Outcome.COMPLETED
    assert [event.index for event in seen if isinstance(event, FrameStored)] == [2, 3]


async def test_where_nobody_can_be_asked_a_silent_camera_fails_the_scan_and_resume_takes_the_rest(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4, more="ask_a_person = false")
    hardware, camera = faulty(config, bench)
    camera.spared, camera.faults = 2, [CameraTimeout("no image from imx477 in 4.0 s")] * 3
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        end, _ = await ended(events)
        assert end.outcome is Outcome.FAILED
        assert end.error == "frame 2 at 180.0°: no image from imx477 in 4.0 s"
        assert end.fault_kind is FaultKind.CAMERA_SILENT
        assert end.resumable
        assert not bench.board.enabled, "the motor is released on a failure"
        lines, _ = replay(daemon.store.layout.scan("cup").journal)
        assert lines[-1].body["fault_kind"] == "camera_silent"
        await daemon.submit(Resume())
        end, seen = await ended(events)
    assert end.outcome is Outcome.COMPLETED
    assert [event.index for event in seen if isinstance(event, FrameStored)] == [2, 3]


async def test_a_camera_that_hangs_until_restarted_costs_a_scan_nothing_but_time(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4)
    async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        async for event in events:
            if isinstance(event, FrameStored) and event.frames_done == 2:
                bench.world.hang_camera_until_restarted()
                break
        end, _ = await ended(events)
    assert (end.outcome, end.retakes) == (Outcome.COMPLETED, 0)


async def test_what_a_person_must_mend_is_not_tried_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, camera = faulty(config, bench)
    camera.faults = [NeedsPerson("camera 0: libcamera sees 0 cameras; check the ribbon cable")]
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        end, _ = await ended(events)
        assert end.error == "frame 0 at 0.0°: camera 0: libcamera sees 0 cameras; check the ribbon cable"
        answer = await daemon.submit(Cancel())
        assert answer.scan_id == "cup"
        assert daemon.interrupted is None
        assert summary_of(daemon.store, "cup").state is ScanState.CANCELLED


async def test_a_scan_that_was_cancelled_and_resumed_is_unfinished_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, camera = faulty(config, bench)
    camera.faults = [NeedsPerson("no camera")] * 2
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await ended(events)
        await daemon.submit(Cancel())
        await daemon.submit(ResumeScan("cup"))
        await ended(events)
        lines, _ = replay(daemon.store.layout.scan("cup").journal)
        assert [line.type for line in lines] == ["begun", "locked", "failed", "cancelled", "resumed", "failed"]
        assert summary_of(daemon.store, "cup").state is ScanState.UNFINISHED


async def test_a_daemon_whose_camera_does_not_open_leaves_nothing_claimed(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, _ = faulty(config, bench)

    class Unplugged(FaultyCamera):
        async def open(self) -> None:
            raise NeedsPerson("camera 0: libcamera sees 0 cameras")

    with pytest.raises(NeedsPerson, match="sees 0 cameras"):
        async with Daemon(config, replace(hardware, camera=Unplugged(hardware.camera))):
            raise AssertionError("must not open")
    async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
        assert daemon.store.scan_ids() == []


async def test_an_unfinished_scan_goes_on_at_the_start_when_the_config_says_so(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    hardware, camera = faulty(config, bench)
    camera.spared, camera.faults = 2, [NeedsPerson("no camera")]
    async with Daemon(config, hardware) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await ended(events)
    scan = config.scan.model_copy(update={"resume_on_start": True})
    eager = Daemon(config.model_copy(update={"scan": scan}), build_hardware(config, bench.clock))
    events = eager.events.subscribe()
    async with eager:
        end, seen = await ended(events)
    assert end.outcome is Outcome.COMPLETED
    (started,) = (event for event in seen if isinstance(event, ScanStarted))
    assert started.frames_done == 2


async def test_an_exception_of_the_caller_arrives_as_itself(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)

    async def begin_and_stumble() -> None:
        async with Daemon(config, build_hardware(config, bench.clock)) as daemon:
            await daemon.submit(StartScan("cup"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await begin_and_stumble()
    assert summary_of(ScanStore(StoreLayout(tmp_path)), "cup").state is ScanState.UNFINISHED
    assert not bench.board.enabled
