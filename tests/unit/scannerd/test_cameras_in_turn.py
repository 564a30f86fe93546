"""Two USB cameras at a bus that carries one stream: they capture in turn, and no photo shows it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import of, running, until
from sealed_scan import manifest_of
from two_cameras import SIDE_DEG, TwoSides, assert_both_cameras_are_true, two_camera_bench, two_camera_config

from drivers.bench.install import Bench
from drivers.bench.picture.textures import linear_to_srgb, srgb_to_linear
from drivers.bench.scene import Exposure
from drivers.bench.sensor_models import IMX477
from drivers.bench.usb_bus import UsbBus
from scannerd.app import Daemon
from scannerd.commands import Resume, ResumeScan, StartScan, Wishes
from scannerd.config import Config
from scannerd.events import FrameStored, Outcome, ScanEnded, ScanPaused
from scannerd.fault_kind import FaultKind
from scannerd.scan.deadlines import Deadlines
from scannerd.scan.phases import Phase
from scannerd.store.layout import StoreLayout
from scannerd.store.photo import read_grey

FIRST_PX, SIDE_PX = 640 * 480, 480 * 360


class Lit(TwoSides):
    """As bright as was exposed; the second camera sees four times the light."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        side = 4.0 if exposure.elevation_deg == SIDE_DEG else 1.0
        light = srgb_to_linear(out) * np.float32(side * exposure.exposure_us * exposure.analogue_gain / 30_000)
        out[:] = np.asarray(linear_to_srgb(np.clip(light, 0, 1)) * 255 + 0.5, np.uint8)


def usb_config(folder: Path, views: int = 4, metering: str = "configured") -> Config:
    more = 'driver = "v4l2"\ndevice = "/dev/video0"'
    config = two_camera_config(folder, views, more, exposure_us=5_000, metering=metering)
    first = {"driver": "v4l2", "device": "/dev/video1", "metering": metering}
    return config.model_copy(
        update={
            "camera": config.camera.model_copy(update=first),
            # The bench's mat is sharper than any lens could show it: Motion-JPEG makes its edges a little wider.
            "quality": config.quality.model_copy(update={"min_relative_sharpness": 0.0}),
            "light": config.light.model_copy(update={"mains_hz": 0}),
        }
    )


def fill_the_bus(bench: Bench) -> None:
    """Leave room for the larger of both streams, and not for the smaller one beside it."""
    mode = next(mode for mode in IMX477.modes if mode.width_px >= 640 and mode.height_px >= 480)
    bench.usb.room_bytes_s = 0.5 * (FIRST_PX + SIDE_PX / 2) / mode.frame_time_s


def assert_each_camera_is_exposed_the_same(config: Config) -> None:
    folder = StoreLayout(config.store.folder).scan("cup").path
    for number in (0, 1):
        frames = [frame for frame in manifest_of(config).frames if frame.camera == number]
        assert len({(frame.exposure_us, frame.analogue_gain) for frame in frames}) == 1
        levels = [float(np.median(read_grey(folder / frame.file.name))) for frame in frames]
        assert max(levels) - min(levels) < 6, f"camera {number}: {levels}"


async def scanned(daemon: Daemon) -> ScanEnded:
    events = daemon.events.subscribe()
    await daemon.submit(StartScan("cup"))
    return of(ScanEnded, await until(events, ScanEnded))[0]


@pytest.mark.parametrize(
    ("metering", "forgets"),
    [("once", False), ("configured", True)],
    ids=["metered", "controls-forgotten"],
)
async def test_on_a_full_bus_they_capture_in_turn_locked_as_they_were(
    tmp_path: Path, metering: str, forgets: bool
) -> None:
    config = usb_config(tmp_path, metering=metering)
    with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
        fill_the_bus(bench)
        bench.video.forgets_when_stopped = bench.first_video.forgets_when_stopped = forgets
        async with running(config, bench) as daemon:
            ended = await scanned(daemon)
        assert bench.usb.most_streams == 1
        assert min(bench.video.starts, bench.first_video.starts) >= 4
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=4)
    assert_each_camera_is_exposed_the_same(config)


async def test_with_room_for_both_nobody_stops(tmp_path: Path) -> None:
    config = usb_config(tmp_path, views=3)
    with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
        async with running(config, bench) as daemon:
            ended = await scanned(daemon)
            assert [camera.description.turn_s for camera in daemon.hardware.cameras] == [0.0, 0.0]
        assert (bench.video.starts, bench.first_video.starts, bench.usb.most_streams) == (1, 1, 2)
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=3)


async def test_on_buses_of_their_own_nobody_waits_however_full_one_of_them_is(tmp_path: Path) -> None:
    config = usb_config(tmp_path, views=3)
    with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
        fill_the_bus(bench)
        elsewhere = UsbBus(bench.usb.room_bytes_s, number=3)
        bench.video_kernel.plug_into(bench.first_video, elsewhere)
        async with running(config, bench) as daemon:
            ended = await scanned(daemon)
            assert [camera.bus for camera in daemon.hardware.cameras] == ["usb3", "usb1"]  # type: ignore[attr-defined]
        assert (bench.video.starts, bench.first_video.starts) == (1, 1)
        assert (bench.usb.most_streams, elsewhere.most_streams) == (1, 1)
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=3)


async def test_turns_are_forecast_and_have_their_time(tmp_path: Path) -> None:
    config, minutes, capture_s = usb_config(tmp_path), [], []
    for is_full in (False, True):
        with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
            if is_full:
                fill_the_bus(bench)
            async with running(config, bench) as daemon:
                minutes.append(daemon.forecast(Wishes(views=100)).minutes)
                hardware = daemon.hardware
                capture_s.append(Deadlines(config, hardware.axis, hardware.cameras).of(Phase.CAPTURING))
    assert 100 * 0.6 / 60 < minutes[1] - minutes[0] < 100 * 2 / 60
    assert capture_s[1] > 1.8 * capture_s[0]


@pytest.mark.parametrize("camera", ["first", "side"])
async def test_a_camera_pulled_out_is_named_and_the_scan_goes_on_once_it_is_back(tmp_path: Path, camera: str) -> None:
    config = usb_config(tmp_path, views=3)
    with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
        fill_the_bus(bench)
        video = bench.video if camera == "side" else bench.first_video
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 2)
            video.pull_out()
            failed = of(ScanEnded, await until(events, ScanEnded))[0]
            assert failed.fault_kind is FaultKind.CAMERA_UNUSABLE
            assert f"(camera {camera})" in str(failed.error)
            video.plug_in()
            await daemon.submit(ResumeScan("cup"))
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
        assert bench.usb.most_streams == 1
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=3)
    assert_each_camera_is_exposed_the_same(config)


@pytest.mark.slow
async def test_a_camera_that_hangs_in_its_turn_is_asked_about_and_holds_nobody_up(tmp_path: Path) -> None:
    config = usb_config(tmp_path, views=3)
    with two_camera_bench(on_usb=True, pictures=Lit()) as bench:
        fill_the_bus(bench)
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 2)
            bench.world.others_hang.add(1)
            paused = of(ScanPaused, await until(events, ScanPaused))[0]
            assert paused.fault_kind is FaultKind.CAMERA_SILENT
            assert "(camera side)" in str(paused.question)
            assert (await daemon.viewfinder.picture(camera=0)).jpeg
            bench.world.others_hang.clear()
            await daemon.submit(Resume())
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=3)
