"""Scans that pause, stop, are killed, and go on: each photo is there once, at its angle."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scan_on_bench import OverheadCamera, bench_config, of, running, until
from sealed_scan import assert_sound, scan_folder

from drivers.bench.install import Bench, install_bench
from scannerd.app import Daemon
from scannerd.commands import Cancel, CommandRefused, Pause, Resume, ResumeScan, StartScan, Stop
from scannerd.events import (
    Event,
    FrameStored,
    Outcome,
    ScanEnded,
    ScanPaused,
    ScanStarted,
    UnfinishedScanFound,
    Warned,
)
from scannerd.fault_kind import FaultKind
from scannerd.hardware import build_hardware
from scannerd.scan.darkroom import BACKLOG
from scannerd.scan.phases import Phase
from scannerd.store.history import history_of
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

REPOSITORY = Path(__file__).resolve().parents[3]


async def test_pause_and_resume_act_between_viewpoints(bench: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path)
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        assert daemon.phase is Phase.PAUSED
        done = len(history_of(replay(scan_folder(config, "cup").journal)[0]).frames)
        pulses = bench.world.pulses
        await bench.clock.wait_until(bench.clock.now_s() + 5)
        assert bench.world.pulses == pulses, "nothing moves while paused"
        assert len(history_of(replay(scan_folder(config, "cup").journal)[0]).frames) == done
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
        afterwards = await until(events, ScanEnded)
        (ended,) = of(ScanEnded, afterwards)
        assert ended.outcome is Outcome.CANCELLED
        assert not ended.resumable
        on_their_way = len(of(FrameStored, afterwards))
        assert on_their_way <= BACKLOG
        assert ended.frames_done == 2 + on_their_way
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
    before = history_of(replay(scan_folder(config, "cup").journal)[0]).frames
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
