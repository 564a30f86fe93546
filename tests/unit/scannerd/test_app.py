"""The daemon on the bench: production drivers, simulated hardware, photos that show where the platter truly was."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from scan_on_bench import bench_config, of, running, until
from sealed_scan import assert_sound, scan_folder

from drivers.bench.install import Bench
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
from scannerd.events import FrameStored, Outcome, PhaseChanged, PressFailed, ScanEnded, ScanSealed, Warned
from scannerd.hardware import build_hardware
from scannerd.scan.phases import Phase
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreInUse, StoreLock
from scannerd.store.scans import ScanExists, ScanStore, ScanUnknown


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
