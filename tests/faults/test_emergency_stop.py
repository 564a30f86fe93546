"""The emergency stop of a whole daemon: motors end between two steps, a scan asks, and photos are true afterwards.

The camera paints the platter's true angle into each photo.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from scan_on_bench import SPEED, bench_config, of, running, until, when
from true_angles import SigningCamera, angle_errors, faults_in_angles

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from scannerd.app import Daemon
from scannerd.board.state import Mood
from scannerd.commands import Cancel, CommandRefused, Home, Jog, Pause, Resume, StartScan
from scannerd.config import Config
from scannerd.config_panel import EmergencyStopSection
from scannerd.event_bus import Subscription
from scannerd.events import EmergencyStopChanged, FrameStored, Outcome, PhaseChanged, ScanEnded, ScanPaused, Warned
from scannerd.fault_kind import FaultKind
from scannerd.scan.phases import Phase
from scannerd.store.layout import StoreLayout

VIEWS = 6
PIN = 22


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(SigningCamera(), SPEED, BenchWiring(emergency_stop_pin=PIN)) as installed:
        yield installed


def config_of(folder: Path) -> Config:
    config = bench_config(folder, views=VIEWS, more="max_cut_off_fraction = 1.0")
    return config.model_copy(
        update={
            "emergency_stop": EmergencyStopSection(driver="gpio", pin=PIN),
            "scan": config.scan.model_copy(update={"propose": False}),
        }
    )


async def moving(events: Subscription, bench: Bench) -> None:
    """Return in the middle of a move."""
    async with asyncio.timeout(60):
        async for event in events:
            if isinstance(event, PhaseChanged) and event.phase is Phase.MOVING:
                break
    pulses = bench.world.pulses
    await when(lambda: bench.world.pulses > pulses + 20)


def photos_are_true(folder: Path) -> None:
    scan = StoreLayout(folder).scan("cup")
    assert not faults_in_angles(scan)
    assert len(angle_errors(scan)) == VIEWS


async def test_pushed_in_mid_move_it_stops_within_a_step_and_the_scan_comes_to_all_its_photos(
    bench: Bench, tmp_path: Path
) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        assert daemon.board.state().emergency_stop is False
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await moving(events, bench)
        bench.emergency_stop.push()
        assert not bench.board.enabled, "the current is off before the contact's own thread goes on"
        pulses = bench.world.pulses
        seen = await until(events, ScanPaused)
        assert bench.world.pulses <= pulses + 1
        paused = of(ScanPaused, seen)[0]
        assert paused.fault_kind is FaultKind.EMERGENCY_STOP
        assert "Resume" in str(paused.question)
        assert FaultKind.EMERGENCY_STOP in [event.fault_kind for event in of(Warned, seen)]
        state = daemon.board.state()
        assert (state.emergency_stop, state.mood) == (True, Mood.ASKING)

        with pytest.raises(CommandRefused, match="the emergency stop is pushed, or its wire is broken; release it"):
            await daemon.submit(Resume())
        bench.world.platter.turn_by_hand(37.0, bench.clock.now_s())
        bench.emergency_stop.release()
        await until(events, EmergencyStopChanged)
        assert daemon.board.state().emergency_stop is False
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert (ended.outcome, ended.frames_done) == (Outcome.COMPLETED, VIEWS)
    photos_are_true(tmp_path)
    assert not bench.board.enabled


async def test_pushed_while_nothing_moves_it_asks_before_the_next_move(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        async for event in events:
            if isinstance(event, PhaseChanged) and event.phase is Phase.SETTLING and event.index == 2:
                break
        bench.emergency_stop.push()
        bench.emergency_stop.release()
        paused = of(ScanPaused, await until(events, ScanPaused))[0]
        assert paused.fault_kind is FaultKind.EMERGENCY_STOP
        await daemon.submit(Resume())
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
    assert ended.outcome is Outcome.COMPLETED
    photos_are_true(tmp_path)


async def test_pushed_and_released_in_a_pause_the_platter_is_looked_for(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        bench.emergency_stop.push()
        bench.world.platter.turn_by_hand(-64.0, bench.clock.now_s())
        bench.emergency_stop.release()
        await daemon.submit(Resume())
        seen = await until(events, ScanEnded)
    assert not of(ScanPaused, seen), "whoever went on had released it"
    assert of(ScanEnded, seen)[0].outcome is Outcome.COMPLETED
    photos_are_true(tmp_path)


async def refused(daemon: Daemon, *commands: object) -> None:
    for command in commands:
        with pytest.raises(CommandRefused, match="emergency stop"):
            await daemon.submit(command)  # type: ignore[arg-type]


async def test_a_broken_wire_at_the_start_lets_nothing_move(bench: Bench, tmp_path: Path) -> None:
    bench.emergency_stop.push()
    async with running(config_of(tmp_path), bench) as daemon:
        state = daemon.board.state()
        assert (state.mood, state.fault_kind) == (Mood.FAULT, FaultKind.EMERGENCY_STOP)
        assert "wire" in str(state.fault)
        await refused(daemon, StartScan("cup"), Home(), Jog(10))
        assert bench.world.pulses == 0
        bench.emergency_stop.release()
        await when(lambda: daemon.board.mood is Mood.IDLE)
        await daemon.submit(Jog(10))
    assert bench.world.platter.settled_angle_deg == pytest.approx(10, abs=0.1)


async def test_without_anybody_to_ask_the_scan_ends_and_can_go_on(bench: Bench, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config = config.model_copy(update={"quality": config.quality.model_copy(update={"ask_a_person": False})})
    async with running(config, bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored, 2)
        bench.emergency_stop.push()
        ended = of(ScanEnded, await until(events, ScanEnded))[0]
        assert (ended.outcome, ended.fault_kind) == (Outcome.FAILED, FaultKind.EMERGENCY_STOP)
        await refused(daemon, Resume())
        bench.emergency_stop.release()
        await daemon.submit(Resume())
        assert of(ScanEnded, await until(events, ScanEnded))[0].outcome is Outcome.COMPLETED
    photos_are_true(tmp_path)


async def test_other_settings_give_and_take_an_emergency_stop(bench: Bench, tmp_path: Path) -> None:
    fitted = config_of(tmp_path)
    none = fitted.model_copy(update={"emergency_stop": EmergencyStopSection()})
    async with running(none, bench) as daemon:
        assert daemon.board.state().emergency_stop is None
        bench.emergency_stop.push()
        await daemon.reload(fitted)
        assert daemon.board.state().emergency_stop is True
        await refused(daemon, Jog(5))
        await daemon.reload(none)
        assert daemon.board.state().emergency_stop is None
        await daemon.submit(Jog(5))


async def test_a_scan_that_was_stopped_can_be_cancelled_while_it_is_pushed(bench: Bench, tmp_path: Path) -> None:
    async with running(config_of(tmp_path), bench) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        await until(events, FrameStored)
        bench.emergency_stop.push()
        await until(events, ScanPaused)
        await daemon.submit(Cancel())
        assert of(ScanEnded, await until(events, ScanEnded))[0].outcome is Outcome.CANCELLED
        assert not bench.board.enabled
