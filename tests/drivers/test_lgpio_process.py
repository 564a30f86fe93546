"""The real lgpio in its process, on a line that is recorded where its kernel would be: pulses, stalls, deaths."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import psutil
import pytest
from gpio_record import GpioRecord, NoRecorder, recorded_line, recorder

from drivers import lgpio_process
from drivers.clock import SystemClock
from drivers.lgpio_line import LOOK_US
from drivers.lgpio_waves import PUNCTUAL, USUAL
from drivers.motion_profile import MotionLimits, plan_move
from drivers.protocols import DriverError, LinkBroken
from drivers.pulse_lgpio import LgpioPulsePlayer

STEP_DEG = 0.0375
LIMITS = MotionLimits(60, 180)
PATIENCE_S = 30.0


@pytest.fixture
def line() -> Iterator[GpioRecord]:
    try:
        recorder()
    except NoRecorder as missing:
        pytest.skip(f"LGPIO'S PULSES ARE NOT TRIED HERE: {missing}")
    with recorded_line() as recorded:
        yield recorded


@pytest.fixture
def player(line: GpioRecord) -> Iterator[LgpioPulsePlayer]:
    built = LgpioPulsePlayer(0, 17, SystemClock())
    yield built
    built.close()


Children = Callable[[], list[psutil.Process]]


@pytest.fixture
def children() -> Children:
    """The processes begun by this test, those included that nobody waited for."""
    before = psutil.Process().children()
    return lambda: [child for child in psutil.Process().children() if child not in before]


class Played:
    """A move in a thread of its own, as the motor's."""

    def __init__(self, player: LgpioPulsePlayer, steps: int) -> None:
        self.counted = 0
        self.stop = threading.Event()
        self.error: DriverError | None = None
        self._player = player
        self._profile = plan_move(steps, STEP_DEG, LIMITS)
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), f"{self.counted} steps, and the move does not end"

    def _play(self) -> None:
        try:
            self._player.play(self._profile, self.stop, self._count)
        except DriverError as error:
            self.error = error

    def _count(self, steps: int) -> None:
        self.counted += steps


def until(holds: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, f"not in {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.002)


def under_way(line: GpioRecord, pulses: int = 300) -> None:
    until(lambda: len(line.rises_s()) >= pulses, f"{pulses} pulses")


def test_as_many_pulses_come_as_were_ordered_and_are_counted(player: LgpioPulsePlayer, line: GpioRecord) -> None:
    for steps in (1, 2, 160, 1000):
        before = len(line.rises_s())
        played = Played(player, steps)
        played.wait()
        assert (played.counted, len(line.rises_s()) - before, played.error) == (steps, steps, None)


def test_a_stopped_move_brakes_and_is_counted_to_the_step(player: LgpioPulsePlayer, line: GpioRecord) -> None:
    for _ in range(3):
        before = len(line.rises_s())
        played = Played(player, 4000)
        under_way(line, before + 200)
        played.stop.set()
        played.wait()
        assert played.counted == len(line.rises_s()) - before
        assert 200 < played.counted < 4000


def test_a_stall_ends_in_a_short_jump_and_a_ramp(
    player: LgpioPulsePlayer, line: GpioRecord, children: Children
) -> None:
    played = Played(player, 3000)
    under_way(line, 600)
    punctual = os.sched_getscheduler(children()[0].pid) == os.SCHED_FIFO
    children()[0].send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    children()[0].send_signal(signal.SIGCONT)
    played.wait()
    assert (played.counted, len(line.rises_s())) == (3000, 3000)
    waits_s = np.diff(line.rises_s())
    stall = int(waits_s.argmax())
    after_s = waits_s[stall + 1 :]
    jump = int(np.argmax(after_s > 0.015)) + 1
    ration = PUNCTUAL if punctual else USUAL
    assert jump <= ration.waves * ration.wave_us / 625, f"{jump} steps at once"
    # From rest, no step before the acceleration allows it; lgpio may look one look early.
    ramp_s = np.cumsum(after_s[jump - 1 : jump + 49])
    assert np.all(ramp_s > np.cumsum(plan_move(1000, STEP_DEG, LIMITS).intervals_s[:50]) - LOOK_US * 1.1e-6), ramp_s


def test_a_halt_lets_no_pulse_through_and_the_next_move_has_another_process(
    player: LgpioPulsePlayer, line: GpioRecord, children: Children
) -> None:
    played = Played(player, 4000)
    under_way(line)
    player.halt()
    until(lambda: not children(), "the process is gone")
    pulses = len(line.rises_s())
    played.wait()
    time.sleep(0.1)
    assert len(line.rises_s()) == pulses < 4000
    assert played.error is None
    again = Played(player, 100)
    again.wait()
    assert again.counted == len(line.rises_s()) - pulses == 100


def test_a_process_that_dies_is_told_and_replaced(
    player: LgpioPulsePlayer, line: GpioRecord, children: Children
) -> None:
    played = Played(player, 4000)
    under_way(line)
    children()[0].kill()
    played.wait()
    assert isinstance(played.error, LinkBroken)
    assert "was ended by SIGKILL; where the motor stands is unknown" in str(played.error)
    assert not children()
    again = Played(player, 100)
    again.wait()
    assert again.counted == 100


def test_a_process_that_hangs_is_told_and_ended(
    player: LgpioPulsePlayer, line: GpioRecord, children: Children
) -> None:
    played = Played(player, 4000)
    under_way(line)
    children()[0].send_signal(signal.SIGSTOP)
    played.wait()
    assert isinstance(played.error, LinkBroken)
    assert "has not said for 2.0 s how far it is" in str(played.error)
    assert not children()


def test_a_motor_at_rest_has_no_process(player: LgpioPulsePlayer, children: Children) -> None:
    assert not children()
    player.prepare()
    assert children()[0].status() != psutil.STATUS_ZOMBIE
    player.rest()
    assert not children()
    player.rest()


def test_rest_in_the_middle_of_a_move_does_nothing(player: LgpioPulsePlayer, line: GpioRecord) -> None:
    played = Played(player, 1000)
    under_way(line)
    player.rest()
    played.wait()
    assert (played.counted, played.error) == (1000, None)


ORPHAN = """
import os, signal, threading
from drivers.clock import SystemClock
from drivers.motion_profile import MotionLimits, plan_move
from drivers.pulse_lgpio import LgpioPulsePlayer
player = LgpioPulsePlayer(0, 17, SystemClock())
player.prepare()
print(player._process.pid, flush=True)
player.play(plan_move(20000, 0.0375, MotionLimits(60, 180)), threading.Event(), lambda _: None)
"""


def test_a_killed_daemon_leaves_neither_process_nor_pulses(line: GpioRecord) -> None:
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    daemon = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, env={**os.environ, **paths})
    with daemon:
        assert daemon.stdout
        orphan = psutil.Process(int(daemon.stdout.readline()))
        under_way(line)
        daemon.kill()
    until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE, "the orphan is gone")
    pulses = len(line.rises_s())
    time.sleep(0.1)
    assert len(line.rises_s()) == pulses < 20000


def test_a_program_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lgpio_process, "PROGRAM", "drivers.no_such_program")
    player = LgpioPulsePlayer(7, 17, SystemClock())
    played = Played(player, 10)
    played.wait()
    assert isinstance(played.error, LinkBroken)
    assert "ended with code 1" in str(played.error)


def test_a_chip_that_cannot_be_had_is_told(children: Children) -> None:
    player = LgpioPulsePlayer(7, 17, SystemClock())
    played = Played(player, 10)
    played.wait()
    assert isinstance(played.error, DriverError)
    assert "GPIO17: can not open gpiochip" in str(played.error)
    assert not children()
