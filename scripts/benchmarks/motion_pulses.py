"""How evenly STEP pulses come, and what they cost: our ways of timing them, and a loop that sleeps before each."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from gpio_record import recorded_line

from drivers.clock import SystemClock
from drivers.motion_profile import MotionLimits, MotionProfile, plan_move
from drivers.pulse_chunks import Delays
from drivers.pulse_lgpio import LgpioPulsePlayer
from drivers.pulse_player import GpioPulsePlayer
from drivers.pulse_queue import QueuedPulsePlayer

STEP_DEG = 0.0375
STEP_PIN = 17


@dataclass(frozen=True)
class Evenness:
    """One way of timing the pulses of one move."""

    pulses: int
    late_p50_us: float
    """Of each pulse, after the moment that the profile has for it."""
    late_p99_us: float
    late_max_us: float
    took_over_theory: float
    """Time until the last pulse / what the profile says."""
    cpu_of_a_core: float
    """While the move ran; of this process, and of lgpio's."""


class NotingLine:
    """A line that notes when it rises, and costs next to nothing."""

    def __init__(self) -> None:
        """Low."""
        self.rises_s: list[float] = []
        self.closed = False

    @property
    def pin(self) -> "NotingLine":
        """gpiozero's device and its pin are one here."""
        return self

    @property
    def state(self) -> bool:
        """Always low for whoever looks."""
        return False

    @state.setter
    def state(self, level: bool) -> None:
        if level:
            self.rises_s.append(time.monotonic())

    def off(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to free."""
        self.closed = True


class TimedQueue:
    """Chunks that last as long as their pulses: what feeding a wave costs this process, and no more."""

    def __init__(self, prepare: Callable[[Delays], object]) -> None:
        """`prepare` makes of the waits what the library wants."""
        self._prepare = prepare
        self._ends_s: list[float] = []

    def put(self, delays: Delays) -> None:
        """Play them, by the clock."""
        self._prepare(delays)
        begins_s = max([time.monotonic(), *self._ends_s[-1:]])
        self._ends_s.append(begins_s + float(delays.sum()) * 1e-6)

    def waiting(self) -> int:
        """Return how many are not over."""
        now_s = time.monotonic()
        self._ends_s = [end_s for end_s in self._ends_s if end_s > now_s]
        return len(self._ends_s)

    def clear(self) -> None:
        """Drop them."""
        self._ends_s.clear()

    def close(self) -> None:
        """Nothing to free."""


@dataclass(frozen=True)
class LgpioCost:
    """What the process that plays lgpio's waves costs besides."""

    ready_s: float
    """From its start until it has its line; a scan does other things meanwhile."""
    begins_ms: float
    """How late moves begin, the median: lgpio looks for a wave every 20 ms."""
    first_mb: float
    """Resident when it is ready; much of it is shared with the daemon's own Python."""
    grown_bytes_a_step: float
    """What lgpio does not free; gone when the motor rests."""
    short_moves_cpu_of_a_core: float
    """While it makes moves of 6°, as a scan does, one after the other."""
    sleep_us: float
    """CPU that one sleep of a thread costs here: lgpio sleeps twice a step."""


def profile_of(seconds: float, limits: MotionLimits) -> MotionProfile:
    """Return a move of about so long."""
    return plan_move(round(seconds * limits.speed_deg_s / STEP_DEG), STEP_DEG, limits)


def by_our_thread(profile: MotionProfile) -> Evenness:
    """Pulses from `GpioPulsePlayer`."""
    line = NotingLine()
    player = GpioPulsePlayer(line, SystemClock())
    return _judged(profile, line, lambda: player.play(profile, threading.Event(), lambda _: None))


def by_lgpio(profile: MotionProfile, short: MotionProfile) -> tuple[Evenness, LgpioCost]:
    """Pulses from lgpio's own thread in its process, on a line that is recorded where the kernel would be."""
    with recorded_line() as line:
        player = LgpioPulsePlayer(0, STEP_PIN, SystemClock())
        began_s = time.monotonic()
        player.prepare()
        _play(player, plan_move(0, STEP_DEG, MotionLimits(60.0, 180.0)))
        ready_s = time.monotonic() - began_s
        (process,) = psutil.Process().children()
        first_bytes = process.memory_info().rss
        cpu_s, began_s = _cpu_s(process), time.monotonic()
        lates_us = [_lgpio_late_us(player, line.rises_s, short)[0] for _ in range(20)]
        short_share = (_cpu_s(process) - cpu_s) / (time.monotonic() - began_s)
        cpu_s, began_s = _cpu_s(process), time.monotonic()
        late_us = _lgpio_late_us(player, line.rises_s, profile)
        took_s, cpu_s = time.monotonic() - began_s, _cpu_s(process) - cpu_s
        steps = len(profile.intervals_s) + 20 * len(short.intervals_s)
        grown_bytes = process.memory_info().rss - first_bytes
        player.close()
    p50, p99, most = np.percentile(late_us, [50, 99, 100])
    evenness = Evenness(len(late_us), p50, p99, most, took_s / profile.duration_s, cpu_s / took_s)
    begins_ms = float(np.median(lates_us)) * 1e-3
    cost = LgpioCost(ready_s, begins_ms, first_bytes * 1e-6, grown_bytes / steps, short_share, _sleep_us())
    return evenness, cost


def _lgpio_late_us(
    player: LgpioPulsePlayer, rises_s: Callable[[], NDArray[np.float64]], profile: MotionProfile
) -> NDArray[np.float64]:
    before, began_s = len(rises_s()), time.monotonic()
    _play(player, profile)
    return (rises_s()[before:] - began_s - np.cumsum(profile.intervals_s)) * 1e6


def _play(player: LgpioPulsePlayer, profile: MotionProfile) -> None:
    player.play(profile, threading.Event(), lambda _: None)


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(time.process_time() + spent.user + spent.system)


def _sleep_us() -> float:
    began_s, count = time.process_time(), 2000
    for _ in range(count):
        time.sleep(1e-4)
    return (time.process_time() - began_s) / count * 1e6


def by_sleeping(profile: MotionProfile) -> Evenness:
    """Pulses from a loop that sleeps before each for as long as the profile says: what most scanners do."""
    line = NotingLine()

    def loop() -> None:
        for interval_s in profile.intervals_s.tolist():
            time.sleep(interval_s)
            line.pin.state = True
            line.pin.state = False

    return _judged(profile, line, loop)


def cpu_of_feeding(profile: MotionProfile, prepare: Callable[[Delays], object]) -> float:
    """Return the share of a core that handing a move over in chunks takes."""
    player = QueuedPulsePlayer("bench", TimedQueue(prepare), SystemClock())
    began_s, cpu_s = time.monotonic(), time.process_time()
    player.play(profile, threading.Event(), lambda _: None)
    return (time.process_time() - cpu_s) / (time.monotonic() - began_s)


def _judged(profile: MotionProfile, line: NotingLine, play: Callable[[], None]) -> Evenness:
    began_s, cpu_s = time.monotonic(), time.process_time()
    play()
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    late_us = (np.array(line.rises_s) - began_s - np.cumsum(profile.intervals_s)) * 1e6
    p50, p99, most = np.percentile(late_us, [50, 99, 100])
    return Evenness(len(late_us), float(p50), float(p99), float(most), took_s / profile.duration_s, cpu_s / took_s)
