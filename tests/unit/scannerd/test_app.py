"""The daemon on the bench: production drivers, simulated hardware, photos that show where the platter truly was."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until

from drivers.bench.install import Bench, install_bench
from offload.wire.bundle import Manifest
from scannerd.app import Daemon
from scannerd.commands import (
    Cancel,
    CaptureBackground,
    CommandRefused,
    Home,
    Pause,
    Resume,
    ResumeScan,
    StartScan,
    Stop,
)
from scannerd.config import Config
from scannerd.events import (
    Event,
    FrameJudged,
    FrameStored,
    Outcome,
    PhaseChanged,
    PressFailed,
    ScanEnded,
    ScanPaused,
    ScanSealed,
    ScanStarted,
    UnfinishedScanFound,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.hardware import build_hardware
from scannerd.scan.phases import Phase
from scannerd.scan.relocate import mat_corners, turned_deg
from scannerd.store.durable import StoreFull
from scannerd.store.journal import replay
from scannerd.store.layout import ScanFolder, StoreLayout
from scannerd.store.lock import StoreInUse, StoreLock
from scannerd.store.photo import read_grey
from scannerd.store.scans import ScanExists, ScanStore, ScanUnknown, journaled_frames

REPOSITORY = Path(__file__).resolve().parents[3]


def scan_folder(config: Config, scan_id: str) -> ScanFolder:
    return StoreLayout(config.store.folder).scan(scan_id)


def assert_sound(config: Config, scan_id: str, views: int = 6) -> Manifest:
    """Hold that the sealed scan has every photo once, whole, and that each shows the platter at its angle."""
    folder = scan_folder(config, scan_id)
    manifest = Manifest.model_validate_json(folder.manifest.read_bytes())
    assert [frame.index for frame in manifest.frames] == list(range(views))
    for file in manifest.files():
        assert hashlib.sha256((folder.path / file.name).read_bytes()).hexdigest() == file.sha256
    mat = config.mat.spec()
    assert mat is not None
    first = mat_corners(read_grey(folder.frame(0)), mat)
    for frame in manifest.frames:
        seen_deg = turned_deg(first, mat_corners(read_grey(folder.frame(frame.index)), mat))
        planned_deg = frame.index * 360 / views
        assert (seen_deg - planned_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.3)
        assert frame.angle_deg == pytest.approx(planned_deg, abs=0.1)
    return manifest


async def test_a_press_of_the_button_makes_a_sealed_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        finger = threading.Thread(target=bench.finger.press, args=(0.05,))
        finger.start()
        seen = await until(events, ScanEnded)
        finger.join()
    (ended,) = of(ScanEnded, seen)
    assert (ended.outcome, ended.frames_done, ended.frames_planned, ended.error) == (Outcome.COMPLETED, 6, 6, None)
    (sealed,) = of(ScanSealed, seen)
    manifest = assert_sound(config, ended.scan_id)
    assert sealed.manifest_sha256 == manifest.digest()
    assert not bench.board.enabled, "the motor is released at the end"
    assert scan_folder(config, ended.scan_id).contact_sheet.exists()
    moves = [stored.times for stored in of(FrameStored, seen)][1:]
    for times in moves:
        turning_s = 60 / 60 + 60 / 180
        assert times.floor_s == pytest.approx(turning_s + times.settle_s + 0.02, abs=0.1), (
            "60° at 60°/s, settling, exposure, readout"
        )
        assert times.move_s >= turning_s * 0.99
        assert times.total_s >= times.floor_s * 0.99


async def test_phases_follow_the_table_and_end_idle(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        phases = [event.phase for event in of(PhaseChanged, await until(events, ScanEnded))]
        assert daemon.phase is Phase.IDLE
    at_the_table = [phase for phase in phases if phase is not Phase.STORING]
    a_view = [Phase.MOVING, Phase.SETTLING, Phase.CAPTURING]
    assert at_the_table == [Phase.PREPARING, *a_view * 3, Phase.SEALING, Phase.IDLE]
    assert Phase.STORING in phases, "it waits for the last photo before it seals"


async def test_two_starts_at_once_give_one_scan(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        answers = await asyncio.gather(daemon.submit(StartScan()), daemon.submit(StartScan()), return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, CommandRefused)]
        assert len(refusals) == 1
        assert "busy: scan" in str(refusals[0])
        await until(events, ScanEnded)
        assert len(daemon.store.scan_ids()) == 1


async def test_pause_and_resume_act_between_viewpoints(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        assert daemon.phase is Phase.PAUSED
        done = len(journaled_frames(replay(scan_folder(config, "cup").journal)[0]))
        pulses = bench.world.pulses
        await bench.clock.wait_until(bench.clock.now_s() + 5)
        assert bench.world.pulses == pulses, "nothing moves while paused"
        assert len(journaled_frames(replay(scan_folder(config, "cup").journal)[0])) == done
        await daemon.submit(Resume())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
    assert ended.outcome is Outcome.COMPLETED
    assert_sound(config, "cup")


async def test_cancel_keeps_what_was_taken_and_is_not_offered_again(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Cancel())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
        assert ended.outcome is Outcome.CANCELLED
        assert not ended.resumable
        assert ended.frames_done in (2, 3)
        assert not bench.board.enabled
        with pytest.raises(CommandRefused, match="no scan is running"):
            await daemon.submit(Resume())
    async with running(config, bench) as daemon:
        assert daemon.interrupted is None
    with ScanStore(StoreLayout(tmp_path)).open("cup") as scan:
        assert scan.verify_frames() == ()


async def test_stop_ends_a_move_at_once_and_the_scan_goes_on_later(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
        await daemon.submit(Stop())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
        assert ended.outcome is Outcome.STOPPED
        assert not bench.board.enabled
        assert daemon.phase is Phase.IDLE
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert of(ScanStarted, seen)[0].frames_done == ended.frames_done
    assert len(of(FrameStored, seen)) == 6 - ended.frames_done
    assert_sound(config, "cup")


async def test_going_down_finishes_the_frame_and_the_next_daemon_offers_the_scan(
    bench: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
    assert not bench.board.enabled
    rest = [event async for event in events]
    (ended,) = of(ScanEnded, rest)
    assert ended.outcome is Outcome.STOPPED
    daemon_after = Daemon(config, build_hardware(config, bench.clock))
    offers = daemon_after.events.subscribe()
    async with daemon_after:
        (offer,) = of(UnfinishedScanFound, await until(offers, UnfinishedScanFound))
        assert (offer.scan_id, offer.frames_done, offer.frames_planned) == ("cup", ended.frames_done, 6)
        await daemon_after.submit(ResumeScan("cup"))
        seen = await until(offers, ScanEnded)
    assert len(of(FrameStored, seen)) == 6 - ended.frames_done
    assert_sound(config, "cup")


def test_after_kill_9_the_resumed_scan_takes_exactly_what_is_missing(tmp_path: Path) -> None:
    program = REPOSITORY / "tests" / "support" / "scan_on_bench.py"
    command = [sys.executable, str(program), str(tmp_path), "cup"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}
    ) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert child.stdout.readline(), "the child died before it was killed"
        child.send_signal(signal.SIGKILL)
    config = bench_config(tmp_path, views=12)
    before = journaled_frames(replay(scan_folder(config, "cup").journal)[0])
    assert 3 <= len(before) < 12

    async def resume() -> list[Event]:
        with install_bench(OverheadCamera(), speed=40) as bench:
            async with running(config, bench) as daemon:
                events = daemon.events.subscribe()
                await daemon.submit(ResumeScan("cup"))
                return await until(events, ScanEnded)

    seen = asyncio.run(resume())
    assert [stored.index for stored in of(FrameStored, seen)] == [index for index in range(12) if index not in before]
    assert_sound(config, "cup", views=12)
    lines, _ = replay(scan_folder(config, "cup").journal)
    taken = [line.body["frame"]["index"] for line in lines if line.type == "frame"]
    assert sorted(taken) == list(range(12)), "no viewpoint was taken twice"


@pytest.mark.parametrize("turned_by_steps", [0, 1234, -2000])
async def test_a_table_that_was_turned_by_hand_meanwhile_is_found_on_its_mat(
    bench: Bench, tmp_path: Path, turned_by_steps: int
) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
    for _ in range(abs(turned_by_steps)):
        bench.world.platter.step(1 if turned_by_steps > 0 else -1, bench.clock.now_s())
    await bench.clock.wait_until(bench.clock.now_s() + 5)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        seen = await until(events, ScanEnded)
    assert not [warned for warned in of(Warned, seen) if warned.fault_kind is not FaultKind.FRAME_LATE]
    assert_sound(config, "cup")


async def test_a_mat_that_cannot_be_seen_any_more_is_no_guess(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
    pictures.brightness = 0.0
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.fault_kind is FaultKind.MAT_LOST
        assert paused.question is not None
        assert "0 corners of the mat seen, 12 needed; clear the view of the mat, then Resume" in paused.question
        assert not bench.board.enabled
        pictures.brightness = 0.6
        await daemon.submit(Resume())
        await until(events, ScanEnded)
    assert_sound(config, "cup")


async def test_a_blurred_photo_is_taken_again(bench: Bench, pictures: OverheadCamera, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, FrameStored, 2)
        pictures.blur_next = 1
        seen += await until(events, ScanEnded)
    judged = [(event.index, event.attempt, event.verdict) for event in of(FrameJudged, seen)]
    blurred = [entry for entry in judged if entry[2] == "retake"]
    assert len(blurred) == 1
    assert (blurred[0][0], 2, "accept") in judged
    assert of(ScanEnded, seen)[0].retakes == 1
    manifest = assert_sound(config, "cup", views=4)
    assert manifest.frames[blurred[0][0]].attempt == 2


async def test_when_retakes_do_not_help_a_person_is_asked_once(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=4)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
        pictures.blur_px = 5.0
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.question is not None
        assert "px wide" in paused.question or "corners of the mat seen" in paused.question
        await daemon.submit(Resume())
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
    assert ended.outcome is Outcome.COMPLETED


async def test_an_overexposed_scan_asks_at_the_first_photo_only(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    pictures.brightness = 2.0
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 0.01")
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert paused.question is not None
        assert "of the middle is blown out, limit 1%" in paused.question
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED


async def test_nobody_is_asked_when_the_config_says_so(
    bench: Bench, pictures: OverheadCamera, tmp_path: Path
) -> None:
    pictures.brightness = 2.0
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 0.01\nask_a_person = false")
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED


async def test_a_disk_that_fills_up_pauses_the_scan_and_resume_goes_on(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: free[0])
    async with running(config, bench, store) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        free[0] = 1000
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        assert "free some space, then resume" in (paused.question or "")
        await daemon.submit(Resume())
        (paused,) = of(ScanPaused, await until(events, ScanPaused))
        free[0] = 1_000_000_000
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    assert assert_sound(config, "cup").frames[-1].attempt == 1, "no photo was taken twice"


async def test_a_scan_that_is_stopped_while_the_disk_is_full_can_be_resumed(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: free[0])
    async with running(config, bench, store) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        free[0] = 1000
        await until(events, ScanPaused)
        await daemon.submit(Stop())
        assert not bench.board.enabled
        assert daemon.interrupted == "cup"
        with pytest.raises(StoreFull, match="need"):
            await daemon.submit(Resume())
        free[0] = 1_000_000_000
        await daemon.submit(Resume())
        await until(events, ScanEnded, 2)
    assert_sound(config, "cup")


async def test_a_scan_that_would_not_fit_is_refused_before_anything_moves(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: 1_000_000)
    async with running(config, bench, store) as daemon:
        with pytest.raises(StoreFull, match="6 photos of 640x480"):
            await daemon.submit(StartScan("cup"))
    assert bench.world.pulses == 0
    assert store.scan_ids() == []


async def test_a_press_that_cannot_start_a_scan_is_told_to_whoever_listens(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    store = ScanStore(StoreLayout(tmp_path), 0, free_bytes=lambda _: 1_000_000)
    async with running(config, bench, store) as daemon:
        events = daemon.events.subscribe()
        await asyncio.to_thread(bench.finger.press, 0.05)
        (failed,) = of(PressFailed, await until(events, PressFailed))
    assert failed.command == "StartScan"
    assert "6 photos of 640x480" in failed.reason


async def test_the_background_goes_into_the_scans_that_follow(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    async with running(config, bench) as daemon:
        await daemon.submit(CaptureBackground())
        assert daemon.phase is Phase.IDLE
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        assert not of(Warned, await until(events, ScanEnded))
    manifest = assert_sound(config, "cup", views=3)
    assert manifest.background is not None
    assert bench.world.pulses > 0


async def test_commands_that_make_no_sense_are_refused_with_a_reason(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    daemon = Daemon(config, build_hardware(config, bench.clock))
    with pytest.raises(CommandRefused, match="not running"):
        await daemon.submit(StartScan())
    async with daemon:
        for command in (Pause(), Resume(), Cancel()):
            with pytest.raises(CommandRefused, match="no scan is running; the daemon is idle"):
                await daemon.submit(command)
        with pytest.raises(ScanUnknown, match="latest there: none"):
            await daemon.submit(ResumeScan("jug"))
        with pytest.raises(CommandRefused, match="viewpoints"):
            await daemon.submit(StartScan("cup", views=2))
        with pytest.raises(CommandRefused, match="scan_id"):
            await daemon.submit(StartScan("../cup"))
        await daemon.submit(Home())
        await daemon.submit(Stop())
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        with pytest.raises(CommandRefused, match="busy: scan cup is"):
            await daemon.submit(Home())
        await until(events, ScanEnded)
        with pytest.raises(CommandRefused, match="is complete"):
            await daemon.submit(ResumeScan("cup"))
        with pytest.raises(ScanExists):
            await daemon.submit(StartScan("cup"))


async def test_one_store_has_one_daemon(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench):
        with pytest.raises(StoreInUse, match=f"in use by process {os.getpid()}"):
            StoreLock(StoreLayout(tmp_path).lock)
    StoreLock(StoreLayout(tmp_path).lock).close()


async def test_a_second_daemon_touches_nothing_of_the_first(bench: Bench, tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    unborn = layout.unborn("cup").path
    unborn.mkdir(parents=True)
    lock = StoreLock(layout.lock)
    with pytest.raises(StoreInUse):
        await Daemon(bench_config(tmp_path), build_hardware(bench_config(tmp_path), bench.clock)).__aenter__()
    assert unborn.exists(), "the other one is just beginning this scan"
    lock.close()


async def test_a_long_press_cancels(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=36)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 1)
        finger = threading.Thread(target=bench.finger.press, args=(1.2,))
        finger.start()
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
        finger.join()
    assert ended.outcome is Outcome.CANCELLED
