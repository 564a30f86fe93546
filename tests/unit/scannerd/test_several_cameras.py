"""Scans with two cameras on the bench: one stop, one photo of each, whatever happens to one of them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import bench_config, of, running, until
from sealed_scan import manifest_of
from two_cameras import SIDE_DEG, TwoSides, assert_both_cameras_are_true, two_camera_bench, two_camera_config

from drivers.bench.install import OtherBenchCamera, install_bench
from drivers.bench.picture.textures import linear_to_srgb, srgb_to_linear
from drivers.bench.scene import Exposure
from drivers.protocols import CameraUnusable
from scannerd.commands import CaptureBackground, CommandRefused, Resume, ResumeScan, StartScan, Stop
from scannerd.demo.options import DemoOptions
from scannerd.demo.setting import demo_config, other_cameras
from scannerd.doctor.checks.camera import look
from scannerd.doctor.patient import Patient
from scannerd.events import FrameJudged, FrameStored, Outcome, PhaseChanged, ScanEnded, ScanPaused, Warned
from scannerd.fault_kind import FaultKind
from scannerd.scan.phases import Phase
from scannerd.settings.file import ConfigFaults
from scannerd.store.layout import StoreLayout
from scannerd.viewfinder import NoPicture

PROGRAM = Path(__file__).parents[2] / "support" / "two_cameras.py"


def journal(folder: Path, kind: str) -> list[dict]:
    lines = StoreLayout(folder).scan("cup").journal.read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["type"] == kind]


@pytest.mark.parametrize("on_usb", [False, True])
async def test_each_stop_gets_a_photo_of_each_camera_and_one_move(tmp_path: Path, on_usb: bool) -> None:
    config = two_camera_config(tmp_path, more='driver = "v4l2"' if on_usb else "")
    with two_camera_bench(on_usb=on_usb) as bench:
        async with running(config, bench) as daemon:
            await daemon.submit(CaptureBackground())
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            seen = await until(events, ScanEnded)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=4)
    moves = [event for event in of(PhaseChanged, seen) if event.phase is Phase.MOVING]
    assert len(moves) == 4
    first, side = manifest_of(config).all_cameras()
    assert first.background is not None
    assert side.background is not None
    assert first.background.sha256 != side.background.sha256


async def test_brackets_are_taken_by_every_camera_and_the_locks_are_back_after(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, views=3)
    with two_camera_bench(pictures=BrightSide()) as bench:
        async with running(config, bench) as daemon:
            locked = [camera.settings for camera in daemon.hardware.cameras]
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup", exposure_bracket=2))
            await until(events, ScanEnded)
            assert [camera.settings for camera in daemon.hardware.cameras] == locked
    frames = manifest_of(config).frames
    assert [(frame.exposure_ev, frame.camera) for frame in frames[:4]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [frame.exposure_us for frame in frames[:4]] == pytest.approx([20e3, 15e3, 40e3, 30e3], rel=0.01)


async def test_each_camera_has_a_picture_of_its_own_live_and_while_a_scan_runs(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            live = [await daemon.viewfinder.picture(camera=number) for number in (0, 1)]
            assert live[0].jpeg != live[1].jpeg
            with pytest.raises(NoPicture, match="camera 2: the scanner has 2"):
                await daemon.viewfinder.picture(camera=2)
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 4)
            scanned = [await daemon.viewfinder.picture(camera=number) for number in (0, 1)]
            assert [(picture.index or 0) % 2 for picture in scanned] == [0, 1]
            await until(events, ScanEnded)


async def test_a_bus_without_room_for_another_stream_is_told_with_the_cameras_name(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, more='driver = "v4l2"')
    with two_camera_bench(on_usb=True) as bench:
        bench.video.bus_is_full = True
        with pytest.raises(CameraUnusable, match=r"camera side: Bench Webcam .* no room for a stream of 480x360 px"):
            async with running(config, bench):
                pass


def test_the_bench_has_the_cameras_that_the_configuration_names(tmp_path: Path) -> None:
    assert other_cameras(two_camera_config(tmp_path)) == [OtherBenchCamera(60.0)]
    demo = demo_config(DemoOptions(tmp_path, cameras=3))
    assert [other.elevation_deg for other in other_cameras(demo)] == [50.0, 70.0]
    with pytest.raises(ConfigFaults, match="numbers its further cameras 1, 2"):
        other_cameras(two_camera_config(tmp_path, more="camera_index = 3"))


class BrightSide(TwoSides):
    """The second camera sees four times the light."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        side = 4.0 if exposure.elevation_deg == SIDE_DEG else 1.0
        light = srgb_to_linear(out) * np.float32(side * exposure.exposure_us * exposure.analogue_gain / 20_000)
        out[:] = np.asarray(linear_to_srgb(np.clip(light, 0, 1)) * 255 + 0.5, np.uint8)


async def test_each_camera_is_metered_and_locked_for_itself_and_again_after_a_restart(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, metering="once")
    camera = config.camera.model_copy(update={"metering": "once"})
    light = config.light.model_copy(update={"mains_hz": 0})
    config = config.model_copy(update={"camera": camera, "light": light})
    with two_camera_bench(pictures=BrightSide()) as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 3)
            await daemon.submit(Stop())
            await until(events, ScanEnded)
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(ResumeScan("cup"))
            await until(events, ScanEnded)
    assert_both_cameras_are_true(config, views=4)
    frames = manifest_of(config).frames
    exposures = [{frame.exposure_us * frame.analogue_gain for frame in frames if frame.camera == n} for n in (0, 1)]
    assert [len(each) for each in exposures] == [1, 1]
    assert exposures[0].pop() / exposures[1].pop() == pytest.approx(4, rel=0.25)
    assert [line.get("camera") for line in journal(tmp_path, "locked")] == [None, 1]


async def test_a_camera_that_hangs_is_named_and_asked_about_and_the_others_photo_is_kept(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 2)
            bench.world.others_hang.add(1)
            paused = of(ScanPaused, await until(events, ScanPaused))[0]
            assert paused.fault_kind is FaultKind.CAMERA_SILENT
            assert "(camera side)" in str(paused.question)
            stored = [line["frame"].get("camera", 0) for line in journal(tmp_path, "frame")]
            assert stored.count(0) == stored.count(1) + 1
            bench.world.others_hang.clear()
            await daemon.submit(Resume())
            ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert ended.outcome is Outcome.COMPLETED
    assert_both_cameras_are_true(config, views=4)


async def test_the_first_camera_may_hang_as_well(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 2)
            bench.world.camera_hangs = True
            paused = of(ScanPaused, await until(events, ScanPaused))[0]
            assert "(camera first)" in str(paused.question)
            bench.world.camera_hangs = False
            await daemon.submit(Resume())
            await until(events, ScanEnded)
    assert_both_cameras_are_true(config, views=4)


def test_a_kill_between_two_photos_of_one_stop_loses_none_and_repeats_none(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, str(PROGRAM), str(tmp_path), "cup"], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    for line in first.stdout:
        if int(line) == 2:
            break
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    first.stdout.close()
    # As if the power had gone just before the line of the stop's second photo.
    path = StoreLayout(tmp_path).scan("cup").journal
    lines = path.read_text().splitlines(keepends=True)
    upto = next(n for n, line in enumerate(lines) if re.search(r'"type":"frame","frame":\{"index":2,', line))
    path.write_text("".join(lines[: upto + 1]))
    kept = [json.loads(line)["frame"]["index"] for line in lines[: upto + 1] if '"type":"frame"' in line]
    assert kept == [0, 1, 2]
    again = subprocess.run(
        [sys.executable, "-c", RESUME, str(PROGRAM.parent), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    taken = [int(line) for line in again.stdout.split()]
    assert taken == list(range(3, 16))
    assert_both_cameras_are_true(two_camera_config(tmp_path, views=8), views=8)


RESUME = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from scan_on_bench import of, running, until
from two_cameras import two_camera_bench, two_camera_config
from drivers.protocols import CameraUnusable
from scannerd.commands import ResumeScan
from scannerd.doctor.checks.camera import look
from scannerd.doctor.patient import Patient
from scannerd.events import FrameStored, ScanEnded

async def main():
    with two_camera_bench() as bench:
        # The power was gone, and a hand has turned the platter.
        bench.world.platter.turn_by_hand(25.0, bench.clock.now_s())
        async with running(two_camera_config(Path(sys.argv[2]), views=8), bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(ResumeScan("cup"))
            for event in of(FrameStored, await until(events, ScanEnded)):
                print(event.index)

asyncio.run(main())
"""


async def test_lost_steps_are_corrected_once_for_all_cameras(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, views=8)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 4)
            bench.world.motor.lose(100)
            seen = await until(events, ScanEnded)
    corrected = [event for event in of(Warned, seen) if event.fault_kind is FaultKind.STEPS_LOST]
    assert len(corrected) == 1
    for frame in manifest_of(config).frames:
        assert frame.seen_angle_deg is not None
    by_stop = [manifest_of(config).frames[n : n + 2] for n in range(0, 16, 2)]
    assert all(one.seen_angle_deg == pytest.approx(other.seen_angle_deg, abs=0.3) for one, other in by_stop)


async def test_no_camera_keeps_a_photo_of_a_platter_that_did_not_turn(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, views=6)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 4)
            bench.world.jammed = True
            await until(events, FrameJudged, 1)
            await until(events, ScanPaused)
            bench.world.jammed = False
            await daemon.submit(Resume())
            await until(events, ScanEnded)
    assert_both_cameras_are_true(config, views=6)
    frames = manifest_of(config).frames
    assert all(abs((frame.seen_angle_deg or 0.0) - frame.angle_deg) < 30 for frame in frames)


class BlindSide(TwoSides):
    """The second camera sees no mat, only grey that gets a little brighter with the angle."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        if exposure.elevation_deg != SIDE_DEG:
            return super().__call__(exposure, out)
        out[:] = 140
        out[out.shape[0] // 4 : -out.shape[0] // 4 : 8, out.shape[1] // 4 : -out.shape[1] // 4] = 220
        return None


async def test_a_camera_that_sees_no_mat_has_its_angles_from_one_that_does(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, views=6)
    with two_camera_bench(pictures=BlindSide()) as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 4)
            bench.world.motor.lose(100)
            await until(events, ScanEnded)
    frames = manifest_of(config).frames
    assert all(frames[n].seen_angle_deg == frames[n + 1].seen_angle_deg for n in range(0, 12, 2))
    assert frames[5].seen_angle_deg == pytest.approx(116.3, abs=0.5)


def test_the_doctor_looks_at_each_camera(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, more='driver = "v4l2"')
    with two_camera_bench(on_usb=True) as bench:
        rows = [row for row in look(Patient(config, clock=bench.clock)) if row.check == "camera"]
        bench.video.bus_is_full = True
        again = [row for row in look(Patient(config, clock=bench.clock)) if row.check == "camera"]
    assert rows[1].seen.startswith("side: "), rows[1].seen
    assert "no room for a stream" in again[1].seen


async def test_a_person_is_asked_to_move_the_first_camera_and_both_take_part_in_every_ring(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path, views=3)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup", rings=2))
            paused = of(ScanPaused, await until(events, ScanPaused))[0]
            assert "ring 2 of 2: move the first camera higher or lower" in str(paused.question)
            await daemon.submit(Resume())
            await until(events, ScanEnded)
    places = [(frame.ring, frame.camera, frame.elevation_deg) for frame in manifest_of(config).frames]
    assert places == [
        (ring, camera, 60.0 if camera else None) for ring in (0, 1) for _ in range(3) for camera in (0, 1)
    ]


async def test_a_scan_goes_on_only_with_the_cameras_that_began_it(tmp_path: Path) -> None:
    config = two_camera_config(tmp_path)
    with two_camera_bench() as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, FrameStored, 1)
            await daemon.submit(Stop())
            await until(events, ScanEnded)
        alone = config.model_copy(update={"cameras": ()})
        async with running(alone, bench) as daemon:
            with pytest.raises(CommandRefused, match="begun with cameras first, side; the scanner has first"):
                await daemon.submit(ResumeScan("cup"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("camera_index = 0", r"\[\[cameras\]\] side: camera_index = 0 is \[camera\] already; name another device"),
        ("widht_px = 3", r"\[\[cameras\]\] side: widht_px: unknown; did you mean width_px"),
        ("lens_focal_length_mm = 900", r"\[\[cameras\]\] side: lens_focal_length_mm = 900: use 0 to 500 mm"),
        ('[[cameras]]\nname = "side"\ncamera_index = 2', "side is called so already; use another name"),
        ('[[cameras]]\nname = "first"\ncamera_index = 2', r"\[camera\] is called so already; use another name"),
        ("[[cameras]]\ncamera_index = 2", "name is missing"),
    ],
)
def test_cameras_that_cannot_be_are_refused_by_name(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ConfigFaults, match=says):
        two_camera_config(tmp_path, more=more)


async def test_a_scan_with_one_camera_writes_no_new_key(tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    with install_bench(TwoSides(), 40.0) as bench:
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            await until(events, ScanEnded)
    folder = StoreLayout(tmp_path).scan("cup")
    for file in (folder.plan, folder.manifest, folder.poses):
        if file.exists():
            assert "cameras" not in json.loads(file.read_text())
            assert "other_intrinsics" not in json.loads(file.read_text())
    plan, manifest = json.loads(folder.plan.read_text()), json.loads(folder.manifest.read_text())
    places = [*plan["viewpoints"], *manifest["frames"], *(line["frame"] for line in journal(tmp_path, "frame"))]
    assert len(places) == 9
    assert all("camera" not in place for place in places)
    assert all("camera" not in line for line in journal(tmp_path, "locked"))
    assert manifest["format"] == 1
