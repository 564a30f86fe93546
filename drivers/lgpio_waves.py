"""The process that owns a STEP line and plays lgpio's waves on it: `python -m drivers.lgpio_waves FD CHIP PIN`.

It knows the whole move, so that the daemon's threads have no part in its timing, and keeps little of it in lgpio's
queue: what lgpio plays late it plays at once, and a motor follows a jump of half a full step, not one of many.
When the queue runs dry although steps are left, the motor stands, and the rest of the move begins with a ramp.

It ends when the daemon is gone or closes the link, and the kernel frees the line then, so that it may also be killed
at any moment.
"""

import contextlib
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.lgpio_line import WaveLine
from drivers.lgpio_link import FAILED, MOVE, OVER, PLAYED, READY, read_order, send_word
from drivers.lgpio_move import OutgoingMove


@dataclass(frozen=True)
class Ration:
    """How much is in lgpio's queue: what a stall makes late, it plays at once."""

    wave_us: int
    waves: int
    """One that is played, and those that this process may be late by."""


PUNCTUAL = Ration(3_000, 2)
"""Half a full step at 60 °/s of the usual table: no stall costs the bench's motor a step then."""
USUAL = Ration(5_000, 3)
"""Where this process waits for others it would run dry with less; a long stall may cost steps."""
LATE_US = 100
"""After a wave's end somebody looks; lgpio's thread is woken at the same time."""
SHORTEST_NAP_US = 300
TOLD_US = 40_000
"""So often the daemon hears how far the move is."""
HANGS_S = 10.0
"""A process that has not looked around for so long is ended by the kernel."""
PRIORITY = 1
"""Among real-time processes."""


class Feeder:
    """Plays one order after the other."""

    def __init__(
        self, link: socket.socket, line: WaveLine, now_us: Callable[[], int], ration: Ration, speed: float
    ) -> None:
        """`speed`: how much faster than this machine's the clock runs by which waves are played."""
        self._link = link
        self._ration = ration
        self._line = line
        self._now_us = now_us
        self._speed = speed

    def serve(self) -> None:
        """Return once nobody is there any more. Raises lgpio.error, OSError."""
        send_word(self._link, READY)
        while (order := read_order(self._link)) is not None:
            kind, ramp_steps, delays_us = order
            if kind == MOVE:
                played = self._play(OutgoingMove(delays_us, ramp_steps), self._now_us())
                if played is None:
                    return
                send_word(self._link, OVER, played)

    def _play(self, move: OutgoingMove, ordered_us: int) -> int | None:
        """Return how many steps came out, once the last one did; None: nobody is there any more."""
        played, told_us = 0, ordered_us
        signal.setitimer(signal.ITIMER_REAL, HANGS_S)
        while True:
            played += self._line.count()
            if not self._line.waves:
                if played:
                    move.stand()
                if not move.left:
                    break
                self._line.begin(move.take(self._ration.wave_us), ordered_us if not played else self._now_us())
            self._fill(move)
            if self._now_us() - told_us >= TOLD_US:
                told_us = self._now_us()
                send_word(self._link, PLAYED, played)
                signal.setitimer(signal.ITIMER_REAL, HANGS_S)
            if not self._listen(move):
                return None
        signal.setitimer(signal.ITIMER_REAL, 0)
        return played

    def _fill(self, move: OutgoingMove) -> None:
        while move.left and self._line.waves < self._ration.waves:
            if not self._line.follow(move.take(self._ration.wave_us)):
                move.stand()

    def _listen(self, move: OutgoingMove) -> bool:
        """Nap, and hear of a stop; False: nobody is there any more."""
        nap_us = self._line.wave_ends_us + LATE_US - self._now_us()
        nap_us = min(max(nap_us, SHORTEST_NAP_US), self._ration.wave_us)
        if select.select([self._link], [], [], nap_us * 1e-6 / self._speed)[0]:
            if read_order(self._link) is None:
                return False
            move.stop()
        return True


def ask_for_punctuality() -> bool:
    """Be woken to the microsecond; return whether also before others, which LimitRTPRIO in the unit grants."""
    with contextlib.suppress(OSError):
        slack = os.open("/proc/self/timerslack_ns", os.O_WRONLY)
        os.write(slack, b"1")
        os.close(slack)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def serve(lgpio: Any, arguments: list[str], ration: Ration = USUAL, speed: float = 1.0) -> int:
    """Take the line and play until nobody is there any more; returns the exit code."""
    link = socket.socket(fileno=int(arguments[0]))
    chip, pin = int(arguments[1]), int(arguments[2])

    def now_us() -> int:
        return int(time.monotonic_ns() * 1e-3 * speed)

    try:
        line = WaveLine(lgpio, chip, pin, now_us, lambda us: time.sleep(us * 1e-6 / speed))
        Feeder(link, line, now_us, ration, speed).serve()
    except lgpio.error as error:
        with contextlib.suppress(OSError):
            send_word(link, FAILED, text=str(error.value))
        return 1
    except OSError:
        return 1
    return 0


def main() -> None:
    """Run as a process. Ends it without a farewell to lgpio, which would take a tenth of a second."""
    ration = PUNCTUAL if ask_for_punctuality() else USUAL
    # Only now: lgpio's threads inherit what was asked for.
    os._exit(serve(importlib.import_module("lgpio"), sys.argv[1:], ration))


if __name__ == "__main__":
    main()
