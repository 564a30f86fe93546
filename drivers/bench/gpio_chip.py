"""The kernel's side of /dev/gpiochip0 on the bench: lines, who has claimed them, and a thread that plays waves."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.bench.bench_clock import BenchClock
from drivers.bench.chip_socket import SLOTS, LineBusy
from drivers.bench.pins import Wire

IS_OUTPUT = 2
PULL_UP, PULL_DOWN = 32, 64
IDLE_TICK_S = 0.02
"""lgpio's thread looks so often for a wave when it plays none."""

Rows = list[tuple[int, int, int]]
"""Levels, mask and the wait after them in µs, for each pulse of a wave."""
Listener = Callable[[int, int], None]
"""Hears of an edge: the level, and when, in ns of CLOCK_MONOTONIC."""


@dataclass
class _Line:
    wire: Wire
    holder: int | None = None
    output: bool = False
    flags: int = 0
    level: int = 0
    grounded: bool = False
    listener: Listener | None = None
    waves: deque[Rows] = field(default_factory=deque)
    player: threading.Thread | None = None


class GpioChip:
    """Lines by Broadcom number. Times are the bench's, except for the ticks of edges."""

    def __init__(self, wires: dict[int, Wire], clock: BenchClock) -> None:
        """Lines that nobody has claimed yet."""
        self._wires = wires
        self._clock = clock
        self._lines: dict[int, _Line] = {}
        self._looked_s: list[float] = []
        """For each handle a moment at which its process's thread looked for waves, or will."""
        self._lock = threading.RLock()

    def open(self) -> int:
        """Return a handle, which holds what is claimed with it."""
        with self._lock:
            self._looked_s.append(self._clock.now_s())
            return len(self._looked_s) - 1

    def close(self, handle: int) -> None:
        """Give back what this handle holds."""
        for number, line in list(self._lines.items()):
            if line.holder == handle:
                self.free(handle, number)

    def mode(self, handle: int, number: int) -> int:
        """Return lgpio's flags of a line."""
        line = self._line(number)
        return (IS_OUTPUT if line.output else 0) | line.flags

    def claim_input(self, handle: int, number: int, flags: int = 0) -> int:
        """Make it an input with this pull."""
        line = self._claim(handle, number)
        was_output, line.output, line.flags = line.output, False, flags
        if was_output:
            line.wire.hear(line.wire.floats_at)
        self.sense(number)
        return 0

    def claim_output(self, handle: int, number: int, level: int, group: bool = False) -> int:
        """Make it an output at this level."""
        line = self._claim(handle, number)
        line.output, line.level = True, int(level)
        line.wire.hear(line.level)
        return 0

    def free(self, handle: int, number: int) -> int:
        """Give a line back: what was queued on it is dropped."""
        with self._lock:
            line = self._held(handle, number)
            line.waves.clear()
            line.holder = line.listener = None
            was_output, line.output = line.output, False
            player = line.player
        if player is not None and player is not threading.current_thread():
            player.join()
        if was_output:
            line.wire.hear(line.wire.floats_at)
        return 0

    def read(self, handle: int, number: int) -> int:
        """Return the level at this moment."""
        line = self._line(number)
        if not line.output:
            self.sense(number)
        return line.level

    def write(self, handle: int, number: int, level: int) -> int:
        """Set an output's level."""
        line = self._held(handle, number)
        line.level = int(level)
        line.wire.hear(line.level)
        return 0

    def pwm(self, handle: int, number: int, frequency_hz: float, duty_percent: float) -> int:
        """Tell the far end the share of the time that the line is high."""
        self._held(handle, number).wire.hear(duty_percent / 100 if frequency_hz else 0.0)
        return 0

    def listen(self, number: int, listener: Listener | None) -> None:
        """Tell somebody of the edges of an input."""
        self._line(number).listener = listener

    def ground(self, number: int, grounded: bool) -> None:
        """Close or open a contact between this wire and ground."""
        self._line(number).grounded = grounded
        self.sense(number)

    def sense(self, number: int) -> None:
        """Look at what hangs on an input, and tell who listens."""
        line = self._line(number)
        if line.output:
            return
        closed = line.grounded or (line.wire.grounded is not None and line.wire.grounded())
        level = 0 if closed or not line.flags & PULL_UP else 1
        if level != line.level:
            line.level = level
            if line.listener is not None:
                line.listener(level, time.monotonic_ns())

    def wave(self, handle: int, number: int, rows: Rows) -> int:
        """Queue a wave; return how many more there is room for."""
        with self._lock:
            line = self._held(handle, number)
            if len(line.waves) >= SLOTS:
                raise LineBusy("TX queue full")
            line.waves.append(rows)
            if line.player is None:
                line.player = threading.Thread(target=self._play, args=(line, handle), name=f"wave on GPIO{number}")
                line.player.start()
            return SLOTS - len(line.waves)

    def waves_left(self, handle: int, number: int) -> int:
        """Return how many waves are queued, the one being played included."""
        return len(self._held(handle, number).waves)

    def _play(self, line: _Line, handle: int) -> None:
        looked_s = self._looked_s[handle]
        due_s = looked_s + max(math.ceil((self._clock.now_s() - looked_s) / IDLE_TICK_S), 0) * IDLE_TICK_S
        self._clock.sleep_until(due_s)
        while True:
            with self._lock:
                if not line.waves:
                    line.player, self._looked_s[handle] = None, due_s
                    return
                rows = line.waves[0]
            for levels, _, delay_us in rows:
                if not line.waves:
                    break
                line.level = levels & 1
                line.wire.hear(line.level)
                due_s += delay_us * 1e-6
                self._clock.sleep_until(due_s)
            with self._lock:
                if line.waves:
                    line.waves.popleft()

    def _line(self, number: int) -> _Line:
        with self._lock:
            if number not in self._lines:
                self._lines[number] = _Line(self._wires.get(number, Wire(lambda _: None)))
            return self._lines[number]

    def _claim(self, handle: int, number: int) -> _Line:
        line = self._line(number)
        if line.holder not in (None, handle):
            raise LineBusy("GPIO busy")
        line.holder = handle
        return line

    def _held(self, handle: int, number: int) -> _Line:
        line = self._line(number)
        if line.holder != handle:
            raise LineBusy("GPIO not allocated")
        return line
