"""Scans of several rings and sides on the bench: who moves what, and what a resume takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until
from sealed_scan import assert_true_angles, manifest_of

from drivers.bench.install import Bench, install_bench
from drivers.bench.lift import LiftMechanics
from drivers.bench.pins import BenchWiring, LiftWiring
from offload.wire.bundle import Manifest
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
from scannerd.event_bus import Subscription
from scannerd.events import FrameStored, Outcome, PhaseChanged, ScanEnded, ScanExtended, ScanPaused
from scannerd.scan.phases import Phase
from scannerd.store.layout import StoreLayout

LIFT = LiftSection(driver="stepper_gpio", step_deg=0.05, lowest_deg=10, highest_deg=70, home_deg=10)


@pytest.fixture
def lifted(pictures: OverheadCamera) -> Iterator[Bench]:
    """A bench whose camera is on an arm, at its mark."""
    arm = LiftMechanics(step_deg=0.05, start_deg=10.0)
    with install_bench(pictures, 40.0, BenchWiring(lift=LiftWiring()), lift=arm) as installed:
        yield installed


def lift_config(folder: Path, views: int = 3) -> Config:
    return bench_config(folder, views=views).model_copy(update={"lift": LIFT})


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
