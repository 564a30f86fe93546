"""Scans of several rings, sides and brackets on the bench: who moves what, and what a resume takes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, of, running, until, when

from drivers.bench.install import Bench, install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.picture.textures import linear_to_srgb, srgb_to_linear
from drivers.bench.pins import BenchWiring, LiftWiring
from drivers.bench.scene import Exposure
from offload.wire.bundle import FrameEntry, Manifest
from scannerd.app import Daemon
from scannerd.board.state import Mood
from scannerd.commands import (
    Cancel,
    CommandRefused,
    ExtendScan,
    Pause,
    Resume,
    ResumeScan,
    Retake,
    StartScan,
    Stop,
)
from scannerd.config import Config
from scannerd.config_motors import LiftSection
from scannerd.events import (
    FrameStored,
    Outcome,
    PhaseChanged,
    ScanEnded,
    ScanExtended,
    ScanPaused,
    Subscription,
)
from scannerd.scan.phases import Phase
from scannerd.scan.relocate import mat_corners, turned_deg
from scannerd.store.layout import StoreLayout
from scannerd.store.photo import read_grey
from scannerd.store.scans import ScanStore

LIFT = LiftSection(driver="stepper_gpio", step_deg=0.05, lowest_deg=10, highest_deg=70, home_deg=10)


@pytest.fixture
def lifted(pictures: OverheadCamera) -> Iterator[Bench]:
    """A bench whose camera is on an arm, at its mark."""
    arm = LiftMechanics(step_deg=0.05, start_deg=10.0)
    with install_bench(pictures, 40.0, BenchWiring(lift=LiftWiring()), lift=arm) as installed:
        yield installed


class ExposedCamera(OverheadCamera):
    """Sees twice the light when the shutter is open for twice the time."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        light = srgb_to_linear(out) * np.float32(exposure.exposure_us / 20_000)
        out[:] = np.asarray(linear_to_srgb(np.clip(light, 0, 1)) * 255 + 0.5, np.uint8)


@pytest.fixture
def exposed() -> Iterator[Bench]:
    """A bench whose photos show how long they were exposed."""
    with install_bench(ExposedCamera(), 40.0) as installed:
        yield installed


def lift_config(folder: Path, views: int = 3) -> Config:
    return bench_config(folder, views=views).model_copy(update={"lift": LIFT})


def manifest_of(config: Config, scan_id: str = "cup") -> Manifest:
    """Return the seal of a scan whose files are all there."""
    folder = StoreLayout(config.store.folder).scan(scan_id)
    manifest = Manifest.model_validate_json(folder.manifest.read_bytes())
    for file in manifest.files():
        assert hashlib.sha256((folder.path / file.name).read_bytes()).hexdigest() == file.sha256
    return manifest


def assert_true_angles(config: Config, frames: tuple[FrameEntry, ...], scan_id: str = "cup") -> None:
    """Hold that each photo shows the platter at the angle that its entry tells, the first being the reference."""
    mat = config.mat.spec()
    assert mat is not None
    folder = StoreLayout(config.store.folder).scan(scan_id).path
    first = mat_corners(read_grey(folder / frames[0].file.name), mat)
    for frame in frames:
        seen_deg = turned_deg(first, mat_corners(read_grey(folder / frame.file.name), mat))
        told_deg = frame.angle_deg - frames[0].angle_deg
        assert (seen_deg - told_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.3), f"photo {frame.index}"


def places(manifest: Manifest) -> list[tuple[int, int, float | None]]:
    return [(frame.side, frame.ring, frame.elevation_deg) for frame in manifest.frames]


async def answered(daemon: Daemon, events: Subscription, *answers: str) -> list[object]:
    """Answer each question that should come, and return everything until the scan has ended."""
    seen = []
    for expected in answers:
        seen += await until(events, ScanPaused)
        assert expected in str(daemon.board.state().scan and daemon.board.state().scan.question)  # type: ignore[union-attr]
        await daemon.submit(Resume())
    return seen + await until(events, ScanEnded)


async def test_a_lift_raises_the_camera_and_nobody_is_asked(lifted: Bench, tmp_path: Path) -> None:
    config = lift_config(tmp_path)
    elevations_deg = []
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        daemon.events.follow(
            lambda numbered: (
                elevations_deg.append(lifted.world.camera_elevation_deg)
                if isinstance(numbered.event, PhaseChanged) and numbered.event.phase is Phase.CAPTURING
                else None
            )
        )
        await daemon.submit(StartScan("cup", ring_elevations_deg=(20.0, 50.0)))
        seen = await answered(daemon, events, "ring 1 of 2: put the camera at its mark, 10° above the platter")
        assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
        assert lifted.lift_board is not None
        assert not lifted.lift_board.enabled, "its gear holds it"
    assert elevations_deg == pytest.approx([20.0] * 3 + [50.0] * 3, abs=0.1), "where the camera truly was"
    manifest = manifest_of(config)
    assert places(manifest) == [(0, 0, 20.0)] * 3 + [(0, 1, 50.0)] * 3
    assert_true_angles(config, manifest.frames)


async def test_a_lift_knows_where_it_was_left_after_a_restart(lifted: Bench, tmp_path: Path) -> None:
    config = lift_config(tmp_path)
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", ring_elevations_deg=(20.0, 50.0)))
        await until(events, ScanPaused)
        await daemon.submit(Resume())
        await until(events, FrameStored, 4)
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen), "nobody is asked where the camera stands"
    manifest = manifest_of(config)
    assert [frame.index for frame in manifest.frames] == list(range(6))
    assert lifted.world.camera_elevation_deg == pytest.approx(50.0, abs=0.1)
    assert_true_angles(config, manifest.frames)


async def test_a_lift_that_was_interrupted_on_its_way_is_not_believed(lifted: Bench, tmp_path: Path) -> None:
    config = lift_config(tmp_path)
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", ring_elevations_deg=(60.0,)))
        await until(events, ScanPaused)
        await daemon.submit(Resume())
        await until(events, PhaseChanged)
        await daemon.submit(Stop())
    assert not StoreLayout(tmp_path).lift_rest.exists()
    lifted.world.put_camera(10.0)
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        await answered(daemon, events, "put the camera at its mark")
    assert lifted.world.camera_elevation_deg == pytest.approx(60.0, abs=0.1)


async def test_an_unknown_lift_with_nobody_to_ask_is_a_fault_that_says_what_to_do(
    lifted: Bench, tmp_path: Path
) -> None:
    config = lift_config(tmp_path)
    quality = config.quality.model_copy(update={"ask_a_person": False})
    async with running(config.model_copy(update={"quality": quality}), lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert ended.outcome is Outcome.FAILED
    assert "lift: where the camera stands is unknown" in str(ended.error)


async def test_without_a_lift_a_person_moves_the_camera_to_a_height_that_is_named(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", ring_elevations_deg=(20.0, 50.0)))
        await answered(
            daemon, events, "ring 2 of 2: move the camera to about 50° above the platter, aim it at the middle"
        )
    assert places(manifest_of(config)) == [(0, 0, 20.0)] * 3 + [(0, 1, 50.0)] * 3


async def test_the_object_is_turned_over_for_another_side_of_the_same_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", rings=2, sides=2))
        await answered(
            daemon,
            events,
            "ring 2 of 2: move the camera higher or lower",
            "side 2 of 2: turn the object over, put it down in the middle, move the camera",
            "ring 2 of 2: move the camera",
        )
    manifest = manifest_of(config)
    assert [(side, ring) for side, ring, _ in places(manifest)] == [
        *[(0, 0)] * 3, *[(0, 1)] * 3, *[(1, 0)] * 3, *[(1, 1)] * 3,
    ]  # fmt: skip
    assert_true_angles(config, manifest.frames)


@pytest.mark.parametrize("taken", [1, 3, 4, 7, 9])
async def test_a_scan_of_rings_and_sides_goes_on_after_a_restart_anywhere(
    bench: Bench, tmp_path: Path, taken: int
) -> None:
    """3 photos a ring: 3 is between two rings, 6 between two sides, the others within a ring."""
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", rings=2, sides=2))
        stored = 0
        while stored < taken:
            seen = await until(events, FrameStored) if stored % 3 or stored == 0 else await _go_on(daemon, events)
            stored += len(of(FrameStored, seen))
    bench.world.platter.step(1, bench.clock.now_s())
    for _ in range(1200):  # Somebody turns the platter by 45° while nothing runs.
        bench.world.platter.step(1, bench.clock.now_s())
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        stored = daemon.catalogue.detail("cup").frames_done
        await daemon.submit(ResumeScan("cup"))
        seen = await _until_ended(daemon, events)
    manifest = manifest_of(config)
    assert [frame.index for frame in manifest.frames] == list(range(12))
    assert len(of(FrameStored, seen)) == 12 - stored, "exactly what was missing"
    assert_true_angles(config, tuple(frame for frame in manifest.frames if frame.side == 0))
    assert_true_angles(config, tuple(frame for frame in manifest.frames if frame.side == 1))


async def _go_on(daemon: Daemon, events: Subscription) -> list[object]:
    await until(events, ScanPaused)
    await daemon.submit(Resume())
    return list(await until(events, FrameStored))


async def _until_ended(daemon: Daemon, events: Subscription) -> list[object]:
    """Say yes to every question."""
    seen: list[object] = []
    async for event in events:
        seen.append(event)
        if isinstance(event, ScanPaused):
            await daemon.submit(Resume())
        if isinstance(event, ScanEnded):
            break
    return seen


async def test_a_question_between_rings_can_be_answered_by_cancel_or_stop(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", rings=2))
        await until(events, ScanPaused)
        await daemon.submit(Stop())
        assert of(ScanEnded, await until(events, ScanEnded))[0].outcome is Outcome.STOPPED
        await daemon.submit(Resume())
        await until(events, ScanPaused)
        assert daemon.board.mood is Mood.ASKING
        await daemon.submit(Cancel())
        assert of(ScanEnded, await until(events, ScanEnded))[0].outcome is Outcome.CANCELLED


async def test_a_photo_of_an_earlier_ring_is_taken_again_from_its_height(lifted: Bench, tmp_path: Path) -> None:
    config = lift_config(tmp_path)
    async with running(config, lifted) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", ring_elevations_deg=(20.0, 50.0)))
        await until(events, ScanPaused)
        await daemon.submit(Resume())
        await until(events, FrameStored, 4)
        heights_deg: list[float | None] = []
        daemon.events.follow(
            lambda numbered: (
                heights_deg.append(lifted.world.camera_elevation_deg)
                if isinstance(numbered.event, PhaseChanged)
                and numbered.event.phase is Phase.CAPTURING
                and numbered.event.index == 1
                else None
            )
        )
        await daemon.submit(Retake(1))
        seen = await until(events, ScanEnded)
    assert 1 in [stored.index for stored in of(FrameStored, seen)]
    assert heights_deg == pytest.approx([20.0], abs=0.1)
    assert_true_angles(config, manifest_of(config).frames)


async def test_a_photo_of_a_side_that_lies_below_now_is_not_taken_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", sides=2))
        await _go_on(daemon, events)
        with pytest.raises(CommandRefused, match="Retake 0: shows side 1, and the object has been turned over"):
            await daemon.submit(Retake(0))
        await _until_ended(daemon, events)


async def test_brackets_are_taken_at_one_angle_and_the_lock_is_back_after(exposed: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    async with running(config, exposed) as daemon:
        locked = daemon.hardware.camera.settings
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3, repeats=2))
        await until(events, ScanEnded)
        assert daemon.hardware.camera.settings == locked
    frames = manifest_of(config).frames
    assert [(frame.exposure_ev, frame.repeat) for frame in frames[:6]] == [
        (0, 0), (0, 1), (-1, 0), (-1, 1), (1, 0), (1, 1),
    ]  # fmt: skip
    assert len(frames) == 18
    usual_us = frames[0].exposure_us
    for frame in frames:
        assert frame.exposure_us == pytest.approx(usual_us * 2**frame.exposure_ev, rel=0.02)
    assert {round(frame.angle_deg) for frame in frames} == {0, 120, 240}
    assert_true_angles(config, frames)


async def test_a_scan_within_a_bracket_goes_on_with_the_right_exposure(exposed: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3))
        await until(events, FrameStored, 5)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        await until(events, ScanEnded)
    frames = manifest_of(config).frames
    assert [frame.index for frame in frames] == list(range(9))
    for frame in frames:
        assert frame.exposure_us == pytest.approx(frames[0].exposure_us * 2**frame.exposure_ev, rel=0.02)
    assert_true_angles(config, frames)


async def test_a_pause_with_the_motor_off_within_a_bracket_leaves_the_exposure_right(
    exposed: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    turntable = config.turntable.model_copy(update={"idle_release_s": 0.0})
    config = config.model_copy(update={"turntable": turntable})
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3, repeats=8))
        await until(events, FrameStored, 10)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        await when(lambda: not exposed.board.enabled)
        await daemon.submit(Resume())
        await until(events, FrameStored, 10)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
    with ScanStore(StoreLayout(tmp_path)).open("cup") as scan:
        frames = list(scan.frames.values())
    assert len(frames) >= 20
    for frame in frames:
        assert frame.exposure_us == pytest.approx(frames[0].exposure_us * 2**frame.exposure_ev, rel=0.02), frame.index


async def test_a_lens_without_a_motor_takes_no_focus_bracket(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path, views=3), bench) as daemon:
        with pytest.raises(CommandRefused, match="focus_bracket = 3: this camera's lens has no focus motor"):
            await daemon.submit(StartScan("cup", focus_bracket=3))


async def test_photos_are_added_to_a_running_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(ExtendScan(angles_deg=(45.0, 135.0)))
        seen = await until(events, ScanEnded)
        told = of(ScanExtended, seen)[0]
        assert (told.added, told.frames_planned) == (2, 6)
        assert of(ScanEnded, seen)[0].frames_done == 6
        with pytest.raises(CommandRefused, match="complete and sealed, nothing can be added"):
            await daemon.submit(ExtendScan("cup", views=3))
        assert [round(view.angle_deg) for view in daemon.catalogue.detail("cup").viewpoints][4:] == [405, 495]
    assert_true_angles(config, manifest_of(config).frames)


async def test_photos_are_added_to_an_interrupted_scan_for_when_it_goes_on(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        with pytest.raises(CommandRefused, match="no scan is running"):
            await daemon.submit(ExtendScan(views=3))
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
        await daemon.submit(ExtendScan(views=3, elevation_deg=60.0))
        with pytest.raises(CommandRefused, match="ring = 4: this side has rings 0 to 1"):
            await daemon.submit(ExtendScan(views=3, ring=4))
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        await answered(daemon, events, "ring 2 of 2: move the camera to about 60° above the platter")
    manifest = manifest_of(config)
    assert places(manifest) == [(0, 0, None)] * 3 + [(0, 1, 60.0)] * 3
    assert_true_angles(config, manifest.frames)


async def test_a_paused_scan_can_be_extended_and_goes_on(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        await daemon.submit(ExtendScan(angles_deg=(10.0,)))
        scan = daemon.board.state().scan
        assert scan is not None
        assert scan.frames_planned == 4
        await daemon.submit(Resume())
        assert of(ScanEnded, await until(events, ScanEnded))[0].frames_done == 4
