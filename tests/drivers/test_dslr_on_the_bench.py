"""What only a DSLR does: words for settings, shutters that wear, live views that lag, batteries and switches."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import gphoto2
import numpy as np
import piexif
import pytest
from PIL import Image
from scan_on_bench import OverheadCamera, bench_config, of, running, until
from still_life import MIDDLE, StillLife

from drivers.bench import dslr
from drivers.bench.dslr_settings import Widget
from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.camera_exposure import HIGHLIGHT_LEVEL, highlight_level
from drivers.gphoto2_body import PROGRAM
from drivers.options_gphoto2 import Gphoto2Options
from drivers.protocols import Camera, CameraTimeout, Glimpse, NeedsPerson
from drivers.raw_picture import RawFile
from drivers.registry import camera_driver
from offload.wire.bundle import Manifest
from scannerd.commands import RawPhotos, StartScan
from scannerd.config import Config
from scannerd.events import FrameStored, Outcome, ScanEnded
from scannerd.fault_kind import FaultKind
from scannerd.store.layout import StoreLayout

OPTIONS = Gphoto2Options(width_px=320, height_px=240)
PATIENCE_S = 120
SUPPORT = Path(__file__).parents[1] / "support"


@asynccontextmanager
async def opened(bench: Bench, **changes: Any) -> AsyncIterator[Camera]:
    camera: Camera = camera_driver("gphoto2")(replace(OPTIONS, **changes), bench.clock)
    try:
        await camera.open()
        yield camera
    finally:
        await camera.close()


async def refused(bench: Bench, says: str, kind: type[Exception] = NeedsPerson, **changes: Any) -> None:
    with pytest.raises(kind, match=says):
        async with opened(bench, **changes):
            pass


async def test_nothing_is_left_to_the_camera(bench: Bench) -> None:
    async with opened(bench, aperture="8", analogue_gain=2.0):
        words = dict(bench.dslr.settings.words)
    assert {name: words[name] for name in EXPECTED} == EXPECTED


EXPECTED = {
    "iso": "200",
    "shutterspeed": "1/50",
    "aperture": "8",
    "whitebalance": "Daylight",
    "imageformat": "Large Fine JPEG",
    "capturetarget": "Internal RAM",
    "focusmode": "Manual",
    "autopoweroff": "0",
}


async def test_every_photo_has_the_same_colours(bench: Bench) -> None:
    async with opened(bench) as camera:
        means = [(await camera.capture()).photo.rgb().mean(axis=(0, 1)) for _ in range(4)]
    np.testing.assert_allclose(means, [means[0]] * 4, atol=0.5)
    np.testing.assert_allclose(means[0], 100, atol=2)


async def test_exposures_are_those_that_it_has(bench: Bench) -> None:
    async with opened(bench) as camera:
        shown = await camera.lock(replace(camera.settings, exposure_us=9_000, analogue_gain=3.0))
        assert (shown.exposure_us, shown.analogue_gain) == (10_000, 4.0)
        frame = await camera.capture()
    assert (frame.exposure_us, frame.analogue_gain) == (10_000, 4.0)
    assert frame.photo.y.mean() == pytest.approx(10_000 * 4 / 200, abs=2)


async def test_the_photo_is_the_cameras_own_file(bench: Bench) -> None:
    async with opened(bench) as camera:
        frame = await camera.capture()
        description = camera.description
    assert frame.jpeg is not None
    tags = piexif.load(frame.jpeg)
    assert tags["Exif"][piexif.ExifIFD.LensModel] == b"Bench 35mm f/4"
    assert tags["Exif"][piexif.ExifIFD.ExposureTime] == (1, 50)
    np.testing.assert_allclose(
        np.asarray(Image.open(BytesIO(frame.jpeg)).convert("L"), float), frame.photo.y.astype(float), atol=2
    )
    assert (description.make, description.model) == ("Bench Inc.", "Bench EOS 1")
    assert (description.focal_length_mm, description.sensor_width_mm) == (35.0, 22.5)
    assert bench.dslr.card == {}, "nothing is left in the camera"


async def test_a_camera_that_hangs_sideways_turns_no_photo(bench: Bench) -> None:
    bench.dslr.hung_sideways = True
    async with opened(bench) as camera:
        frame = await camera.capture()
    assert (frame.photo.width_px, frame.photo.height_px) == (320, 240)
    decoded = cv2.imdecode(np.frombuffer(frame.jpeg or b"", np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape[:2] == (240, 320)
    assert piexif.load(frame.jpeg)["Exif"][piexif.ExifIFD.LensModel] == b"Bench 35mm f/4"


async def test_raw_files_come_beside_the_photo(bench: Bench) -> None:
    async with opened(bench) as camera:
        assert (await camera.capture()).raw is None
        await camera.keep_raw(True)
        frame = await camera.capture()
        assert isinstance(frame.raw, RawFile)
        assert frame.raw.ending == ".cr2"
        assert frame.raw.data.startswith(b"II*\0")
        assert frame.jpeg is not None
        assert camera.description.raw_bytes is not None
        assert len(frame.raw.data) <= camera.description.raw_bytes * 1.01
    assert bench.dslr.card == {}


async def test_a_camera_without_internal_memory_uses_its_card_and_leaves_nothing_there(bench: Bench) -> None:
    bench.dslr.settings.choices["capturetarget"] = ("Memory card",)
    async with opened(bench) as camera:
        assert (await camera.capture()).photo.width_px == 320
    assert bench.dslr.settings.words["capturetarget"] == "Memory card"
    assert bench.dslr.card == {}


async def test_previews_wear_no_shutter_and_the_photo_is_asked_about_again(bench: Bench) -> None:
    seen: list[bool] = []

    def keep(glimpse: Glimpse) -> bool:
        seen.append(glimpse.is_preview)
        return len(seen) >= 4

    async with opened(bench) as camera:
        before = bench.dslr.shutter_releases
        frame = await camera.capture(keep)
        assert seen == [True] * 4 + [False]
        assert bench.dslr.shutter_releases == before + 1
        assert frame.small.y.shape == (120, 160)
        await camera.glimpse()
        assert bench.dslr.shutter_releases == before + 1


async def test_without_a_live_view_it_shows_plain_grey(bench: Bench) -> None:
    bench.dslr.has_live_view = False
    async with opened(bench) as camera:
        glimpse = await camera.glimpse()
        assert glimpse.is_preview
        assert np.ptp(glimpse.picture.y) == 0


async def test_highlights_of_the_object_are_bright_and_whole() -> None:
    with install_bench(StillLife(0.9, 0.2), speed=10) as bench:
        bench.dslr.size_px = (640, 480)
        async with opened(bench, width_px=640, height_px=480) as camera:
            before = bench.dslr.shutter_releases
            settings = await camera.meter(MIDDLE)
            frame = await camera.capture()
            assert bench.dslr.shutter_releases - before <= 11
    level = highlight_level(frame.small, MIDDLE)
    # Steps of a third of a stop: the darker of the two around it.
    assert HIGHLIGHT_LEVEL - 30 <= level <= HIGHLIGHT_LEVEL + 8
    assert frame.exposure_us == settings.exposure_us


async def test_what_only_a_hand_can_set_is_asked_for(bench: Bench) -> None:
    bench.dslr.settings.words["autoexposuremodedial"] = "AV"
    await refused(bench, "Bench EOS 1: its exposure is on AV, .*turn its mode dial to M")
    bench.dslr.settings.words["autoexposuremodedial"] = "Manual"
    bench.dslr.settings.choices["focusmode"] = ()
    bench.dslr.settings.words["focusmode"] = "AI Servo"
    await refused(bench, "Bench EOS 1: its focus is on AI Servo, .*manual focus")
    bench.dslr.settings.words["focusmode"] = "Manual"
    bench.dslr.settings.choices["shutterspeed"] = ()
    await refused(bench, "Bench EOS 1: its exposure cannot be set")
    assert PROGRAM[0] == "autoexposuremodedial"


async def test_an_aperture_that_it_lacks_is_refused_with_those_it_has(bench: Bench) -> None:
    await refused(bench, "has no aperture f/8; use one of 4, 5.6, 8, 11, 16", aperture="f/8")


async def test_a_busy_camera_is_waited_for(bench: Bench) -> None:
    bench.dslr.busy_for = 5
    async with opened(bench) as camera:
        assert (await camera.capture()).exposure_us == 20_000


async def test_a_camera_in_other_hands_is_named(bench: Bench) -> None:
    bench.dslr.claimed_by_others = True
    await refused(bench, "another program has it: .*gvfs")


async def test_one_that_is_not_there_is_told_with_those_that_are(bench: Bench) -> None:
    await refused(bench, r"no Nikon on USB \(there: Bench EOS 1 \(usb:001,004\)\); switch it on", device="Nikon")
    async with opened(bench, device="EOS"):
        pass
    bench.dslr.switch_off()
    await refused(bench, r"no DSLR on USB \(there: none\)")


@pytest.mark.parametrize("code", [gphoto2.GP_ERROR_IO, gphoto2.GP_ERROR_IO_USB_FIND, gphoto2.GP_ERROR])
async def test_a_photo_lost_on_the_cable_is_taken_once_more(bench: Bench, code: int) -> None:
    async with opened(bench) as camera:
        bench.dslr.fails_with = [code]
        assert (await camera.capture()).photo.y.mean() == pytest.approx(100, abs=2)


async def test_a_cable_that_stays_broken_is_told(bench: Bench) -> None:
    async with opened(bench) as camera:
        bench.dslr.fails_with = [gphoto2.GP_ERROR_IO] * 2
        with pytest.raises(
            CameraTimeout, match=r"takes no photo: .*\[-7\], nor after a new start; switch the camera"
        ):
            await camera.capture()
        assert (await camera.capture()).photo.width_px == 320, "once the cable carries, it goes on"


async def test_one_that_came_back_at_another_address_goes_on(bench: Bench) -> None:
    async with opened(bench, exposure_us=40_000) as camera:
        bench.dslr.switch_off()
        bench.dslr.switch_on()
        bench.dslr.settings.set("shutterspeed", "1/1000")
        frame = await camera.capture()
    assert frame.exposure_us == 40_000
    assert frame.photo.y.mean() == pytest.approx(200, abs=2)


async def test_one_that_is_switched_off_is_asked_for(bench: Bench) -> None:
    async with opened(bench) as camera:
        bench.dslr.switch_off()
        with pytest.raises(NeedsPerson, match=r"no DSLR on USB .*switch it on"):
            await camera.capture()
        bench.dslr.switch_on()
        assert (await camera.capture()).photo.width_px == 320


async def test_an_empty_battery_is_told_before_it_closes_the_shutter(bench: Bench) -> None:
    bench.dslr.settings.battery_percent, bench.dslr.settings.percent_a_photo = 8.0, 1.5
    async with opened(bench) as camera:
        await camera.capture()
        with pytest.raises(NeedsPerson, match=r"battery is nearly empty \(5%\); exchange it"):
            await camera.capture()
        bench.dslr.settings.battery_percent = 100.0
        await camera.capture()


async def test_a_torn_file_is_taken_once_more(bench: Bench) -> None:
    async with opened(bench) as camera:
        bench.dslr.tears_pictures = 1
        assert (await camera.capture()).photo.y.mean() == pytest.approx(100, abs=2)


def dslr_config(folder: Path, views: int = 6) -> Config:
    # Its small previews show less of the mat's edges than a stream's companions.
    usual = bench_config(folder, views, more="min_relative_sharpness = 0")
    return usual.model_copy(update={"camera": usual.camera.model_copy(update={"driver": "gphoto2"})})


async def test_a_scan_with_a_dslr_goes_round(tmp_path: Path) -> None:
    config = dslr_config(tmp_path)
    with install_bench(OverheadCamera(), speed=10) as bench:
        bench.dslr.size_px = (640, 480)
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("dslr", raw=RawPhotos.BUNDLE))
                ended = of(ScanEnded, await until(events, ScanEnded, patience_s=PATIENCE_S))[-1]
        releases = bench.dslr.shutter_releases
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 6)
    assert releases == 6 + 2, "one for each photo, and one for each opening: without and with raw files"
    folder = StoreLayout(config.store.folder).scan("dslr")
    manifest = Manifest.model_validate_json(folder.manifest.read_bytes())
    for frame in manifest.frames:
        jpeg = (folder.path / frame.file.name).read_bytes()
        assert piexif.load(jpeg)["Exif"][piexif.ExifIFD.LensModel] == b"Bench 35mm f/4"
        assert frame.raw is not None
        assert frame.raw.name.endswith(".cr2")
        assert frame.seen_angle_deg is not None
        turned_deg = (frame.seen_angle_deg - frame.angle_deg + 180) % 360 - 180
        assert abs(turned_deg) < 0.2, "the table stayed until the shutter had closed"


async def test_one_that_is_switched_off_in_a_scan_ends_it_by_name(tmp_path: Path) -> None:
    config = dslr_config(tmp_path)
    with install_bench(OverheadCamera(), speed=10) as bench:
        bench.dslr.size_px = (640, 480)
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("dslr"))
                await until(events, FrameStored, patience_s=PATIENCE_S)
                bench.dslr.switch_off()
                ended = of(ScanEnded, await until(events, ScanEnded, patience_s=PATIENCE_S))[-1]
    assert (ended.outcome, ended.fault_kind) == (Outcome.FAILED, FaultKind.CAMERA_UNUSABLE)
    assert "no DSLR on USB" in (ended.error or "")


def test_the_real_library_has_every_call_that_the_bench_answers() -> None:
    answered = {
        dslr._Camera: gphoto2.Camera,
        dslr._Ports: gphoto2.PortInfoList,
        dslr._File: gphoto2.CameraFile,
        Widget: gphoto2.CameraWidget,
    }
    for ours, theirs in answered.items():
        calls = [name for name in vars(ours) if not name.startswith("_")]
        assert [name for name in calls if not hasattr(theirs, name)] == []


VIRTUAL = Path(gphoto2.__file__).parent / "libgphoto2" / "vusb"


@pytest.mark.skipif(
    not VIRTUAL.is_dir(), reason=f"LOUD: {VIRTUAL} is not there: this libgphoto2 has no virtual camera"
)
def test_the_driver_runs_on_libgphoto2s_own_virtual_camera(tmp_path: Path) -> None:
    """Through the real python-gphoto2, libgphoto2 and its PTP driver, to a camera that copies a file for a photo."""
    done, jpeg = cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))
    assert done
    (tmp_path / "DCIM").mkdir()
    (tmp_path / "DCIM" / "a.jpg").write_bytes(jpeg.tobytes())
    ran = subprocess.run(
        [sys.executable, str(SUPPORT / "virtual_dslr.py"), "320", "240"],
        env={**os.environ, "VCAMERADIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    came = json.loads(ran.stdout)
    assert came["model"] == "Nikon DSC D750"
    assert came["exposures_us"] == pytest.approx([10_000, 50_000, 50_000])
    assert came["sha256"] == [hashlib.sha256(jpeg.tobytes()).hexdigest()] * 2
    assert came["mean"] == pytest.approx(90, abs=1)
    assert came["grey"][0] == came["grey"][1], "it has no live view"


async def test_who_waits_no_more_leaves_it_usable(bench: Bench) -> None:
    async with opened(bench) as camera:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await camera.capture(lambda glimpse: False)
        assert (await camera.capture()).photo.width_px == 320


async def test_a_plain_card_is_seen_by_both_ways(card: GreyCard) -> None:
    with install_bench(card) as bench:
        async with opened(bench) as camera:
            glimpse, frame = await camera.glimpse(), await camera.capture()
    assert glimpse.picture.y.mean() == pytest.approx(frame.small.y.mean(), abs=2)
