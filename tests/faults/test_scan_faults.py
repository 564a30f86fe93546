"""Faults in the bench's world while a scan runs: each becomes a named state, and the scan ends with every photo true.

The camera looks straight down, so that every stored photo says at which angle the platter truly was.
"""

import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from scan_on_bench import SPEED, OverheadCamera, bench_config, of, running, until, when

from drivers.bench.install import Bench, install_bench
from drivers.bench.supply import SimulatedSupply
from scannerd.app import Daemon
from scannerd.board.state import Mood
from scannerd.commands import Pause, Resume, StartScan
from scannerd.config import Config
from scannerd.event_bus import Subscription
from scannerd.events import FrameJudged, FrameStored, Outcome, ScanEnded, ScanPaused, Warned
from scannerd.fault_kind import FaultKind
from scannerd.process import health
from scannerd.process.vitals import Throttling, Vitals, read_vitals
from scannerd.scan.darkroom import BACKLOG
from scannerd.store.history import history_of
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

Harm = Callable[[Bench, list[int], SimulatedSupply], None]

DEG_OF_STEP = 0.0375
SWING_DEG = 0.3
"""What a platter may still swing in a photo that counts as still, on a bench whose clock runs this fast."""


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(OverheadCamera(), speed=SPEED) as installed:
        yield installed


def config_of(folder: Path, views: int = 8, idle_release_s: float = 30.0, **scan: object) -> Config:
    config = bench_config(folder, views=views)
    turntable = config.turntable.model_copy(update={"idle_release_s": idle_release_s})
    return config.model_copy(update={"turntable": turntable, "scan": config.scan.model_copy(update=scan)})


@asynccontextmanager
async def between(daemon: Daemon, events: Subscription) -> AsyncIterator[None]:
    """Do something to the world between two viewpoints, when nothing moves."""
    await daemon.submit(Pause())
    await until(events, ScanPaused)
    yield
    await daemon.submit(Resume())


def journal(daemon: Daemon, kind: str) -> list[dict[str, object]]:
    lines, _ = replay(daemon.store.layout.scan("cup").journal)
    return [dict(line.body) for line in lines if line.type == kind]


def seen_of(daemon: Daemon) -> dict[int, tuple[float, float]]:
    """Commanded and seen angle of every photo that counts."""
    lines, _ = replay(daemon.store.layout.scan("cup").journal)
    frames = history_of(lines).frames
    return {index: (frame.angle_deg, _number(frame.seen_angle_deg)) for index, frame in frames.items()}


def _number(seen_deg: float | None) -> float:
    return math.nan if seen_deg is None else seen_deg


async def test_lost_steps_are_told_corrected_and_journaled(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        async with between(daemon, events):
            bench.world.motor.lose(40)
        seen = await until(events, ScanEnded)
        frames = seen_of(daemon)
        (slip,) = journal(daemon, "slip")
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    (told,) = (event for event in of(Warned, seen) if event.fault_kind is FaultKind.STEPS_LOST)
    assert re.search(r"the platter stands at \d+\.\d\d°, \d+\.00° commanded: -1\.\d\d° corrected", told.message)
    assert slip["slipped_deg"] == pytest.approx(-40 * DEG_OF_STEP, abs=SWING_DEG)
    assert len(frames) == 8
    assert bench.world.platter.settled_angle_deg == pytest.approx(315, abs=SWING_DEG), "the last photo's true place"
    assert frames[7][1] == pytest.approx(315, abs=SWING_DEG)
    assert not bench.board.enabled


async def test_a_jam_is_tried_once_slowly_then_asks_with_the_motor_off(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        async with between(daemon, events):
            bench.world.jammed = True
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.TURNTABLE_JAMMED
        assert paused.question is not None
        assert "the turntable does not turn: the mat shows" in paused.question
        assert paused.question.endswith("and a slow one; the motor is off; free the platter, then Resume")
        assert not bench.board.enabled
        state = daemon.board.state()
        assert state.mood is Mood.ASKING
        assert state.scan is not None
        assert state.scan.fault_kind is FaultKind.TURNTABLE_JAMMED
        bench.world.jammed = False
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
        frames = seen_of(daemon)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    for index, (_, seen_deg) in frames.items():
        assert seen_deg == pytest.approx(index * 45, abs=SWING_DEG)
    assert not bench.board.enabled


async def test_a_short_jam_is_mended_by_the_slow_try(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        async with between(daemon, events):
            bench.world.jammed = True
        async for event in events:
            if isinstance(event, FrameJudged) and "the platter hardly turned" in event.reason:
                break
        bench.world.jammed = False
        seen = await until(events, ScanEnded)
        frames = seen_of(daemon)
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    assert not of(ScanPaused, seen)
    assert len(frames) == 8
    assert bench.world.platter.settled_angle_deg == pytest.approx(315, abs=SWING_DEG)


async def test_a_silent_camera_asks_and_the_scan_goes_on(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path, views=4, max_retakes=0), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 1)
        bench.world.camera_hangs = True
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.CAMERA_SILENT
        assert paused.question is not None
        assert "ribbon cable" in paused.question
        assert not bench.board.enabled
        bench.world.camera_hangs = False
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 4)
    assert not bench.board.enabled


async def test_a_pause_lets_the_motor_go_and_the_platter_is_found_where_a_hand_left_it(
    bench: Bench, tmp_path: Path
) -> None:
    async with running(config_of(tmp_path, idle_release_s=0.2), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 3)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        await when(lambda: not bench.board.enabled)
        bench.world.platter.turn_by_hand(-33.0, bench.clock.now_s())
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
        frames = seen_of(daemon)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    assert bench.world.platter.settled_angle_deg == pytest.approx(315, abs=SWING_DEG)
    for index, (_, seen_deg) in frames.items():
        assert seen_deg == pytest.approx(index * 45, abs=SWING_DEG)


async def test_a_pause_shorter_than_that_keeps_the_motor_on(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 1)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        assert bench.board.enabled
        await daemon.submit(Resume())
        await until(events, ScanEnded)
    assert not bench.board.enabled


async def test_a_full_disk_pauses_with_the_motor_off_and_goes_on_by_itself(bench: Bench, tmp_path: Path) -> None:
    free = [10**12]
    store = ScanStore(StoreLayout(tmp_path), free_bytes=lambda _: free[0])
    async with running(config_of(tmp_path), bench, store) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        free[0] = 1000
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.DISK_FULL
        assert paused.question is not None
        assert paused.question.endswith("it goes on by itself once there is room")
        await when(lambda: not bench.board.enabled)
        free[0] = 10**12
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)


async def test_low_voltage_rests_the_motor_until_it_is_over_or_a_person_goes_on(bench: Bench, tmp_path: Path) -> None:
    flag = Throttling(under_voltage=True, slowed=False, under_voltage_before=True)
    async with running(config_of(tmp_path), bench, vitals=lambda: Vitals(50.0, flag, 30.0)) as daemon:
        await when(lambda: bool(daemon.health.troubles))
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.LOW_VOLTAGE
        assert paused.question is not None
        assert paused.question.startswith("supply below 4.63 V")
        await when(lambda: not bench.board.enabled)
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)


async def test_low_voltage_is_waited_out_and_the_scan_goes_on_by_itself(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # People's times; the scan and the watch over the supply are as they are.
    monkeypatch.setattr(health, "LOOK_S", 0.05)
    monkeypatch.setattr(health, "LINGER_S", 0.5)
    supply = SimulatedSupply(tmp_path / "sys")
    async with running(config_of(tmp_path), bench, vitals=lambda: read_vitals(supply.sysfs)) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        supply.set_low(True)
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.LOW_VOLTAGE
        assert str(paused.question).endswith("it goes on by itself; Resume goes on now")
        await when(lambda: not bench.board.enabled)
        bench.world.platter.turn_by_hand(50.0, bench.clock.now_s())
        supply.set_low(False)
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
        frames = seen_of(daemon)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    for index, (_, seen_deg) in frames.items():
        assert seen_deg == pytest.approx(index * 45, abs=SWING_DEG), "a hand turned it meanwhile"


async def test_without_a_mat_people_are_told_that_the_photos_do_not_change(bench: Bench, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config = config.model_copy(update={"mat": config.mat.model_copy(update={"used": False})})
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        seen = await until(events, FrameStored, 4)
        bench.world.jammed = True
        seen += await until(events, ScanEnded)
    told = [event.message for event in of(Warned, seen) if event.fault_kind is FaultKind.TURNTABLE_JAMMED]
    assert len(told) == 1
    assert "look whether the platter turns" in told[0]
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED, "it may be an object that looks the same all round"


def _fill_disk(bench: Bench, free: list[int], supply: SimulatedSupply) -> None:
    free[0] = 1000


def _tear_cable(bench: Bench, free: list[int], supply: SimulatedSupply) -> None:
    bench.world.camera_hangs = True


def _jam(bench: Bench, free: list[int], supply: SimulatedSupply) -> None:
    bench.world.jammed = True


def _sag(bench: Bench, free: list[int], supply: SimulatedSupply) -> None:
    supply.set_low(True)


def _weaken(bench: Bench, free: list[int], supply: SimulatedSupply) -> None:
    bench.world.motor.lose(10**6)


@pytest.mark.slow
@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("harm", [_fill_disk, _tear_cable, _jam, _sag, _weaken])
async def test_no_fault_leaves_the_motor_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Harm, asks: bool
) -> None:
    monkeypatch.setattr(health, "LOOK_S", 0.05)
    supply, free = SimulatedSupply(tmp_path / "sys"), [10**12]
    store = ScanStore(StoreLayout(tmp_path), free_bytes=lambda _: free[0])
    config = config_of(tmp_path, idle_release_s=0.1, max_retakes=0)
    quality = config.quality.model_copy(update={"ask_a_person": asks})
    config = config.model_copy(update={"quality": quality})
    async with running(config, bench, store, vitals=lambda: read_vitals(supply.sysfs)) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 1)
        harm(bench, free, supply)
        async for event in events:
            if isinstance(event, ScanPaused | ScanEnded):
                break
        await when(lambda: not bench.board.enabled)
    assert not bench.board.enabled


async def test_a_jam_after_a_large_slip_is_found_where_it_truly_is(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        async with between(daemon, events):
            bench.world.motor.lose(548)
        await until(events, FrameStored, 1)
        async with between(daemon, events):
            bench.world.jammed = True
        await until(events, ScanPaused)
        bench.world.jammed = False
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
        frames = seen_of(daemon)
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, 8)
    assert bench.world.platter.settled_angle_deg == pytest.approx(315, abs=SWING_DEG)
    off = [index for index in frames if abs(frames[index][1] - index * 45) > SWING_DEG]
    assert 1 <= len(off) <= 1 + BACKLOG, "the photo after the slip, and those that were taken before it was judged"
    assert [frames[index][1] for index in off] == pytest.approx([i * 45 - 20.55 for i in off], abs=SWING_DEG)
