"""Playing a motion profile as pulses on the STEP line."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

from drivers.motion_profile import Intervals, MotionProfile
from drivers.protocols import Clock

CATCH_UP = 0.8
"""A late step may be followed after this fraction of its planned interval: at most 25% above the profile's speed."""


class PulsePlayer(Protocol):
    """Somebody who can pull the STEP line at the right moments."""

    def prepare(self) -> None:
        """A move comes soon; returns at once. Raises DriverError."""

    def play(self, profile: MotionProfile, stop: threading.Event, count: Callable[[int], None]) -> None:
        """Issue the profile's steps and return after the last one; blocks this thread. Raises DriverError.

        `count` is told after each pulse or group of pulses how many went out. Once `stop` is set, the motion slows
        down at the profile's acceleration and ends early; what was issued is counted then, to the step.
        """

    def halt(self) -> None:
        """Issue nothing more, from any thread; `play` returns soon, and how many steps went out is not known."""

    def rest(self) -> None:
        """No move comes soon, from any thread; does nothing while a move is under way."""

    def close(self) -> None:
        """Free the line; safe to call twice. No move is under way."""


class GpioPulsePlayer:
    """Pulses from one thread, through a gpiozero pin, against absolute deadlines.

    Lateness does not add up: each step is due at a time counted from the start of the move. After a hiccup the steps
    that are overdue come closer together, and never closer than `CATCH_UP` allows, for a burst would stall the motor.
    """

    def __init__(self, step_line: Any, clock: Clock) -> None:
        """Take a gpiozero `DigitalOutputDevice`, to be closed with this."""
        self._line = step_line
        self._pin = step_line.pin
        self._clock = clock
        self._halted = threading.Event()

    def prepare(self) -> None:
        """Nothing to do."""

    def rest(self) -> None:
        """Nothing to do."""

    def play(self, profile: MotionProfile, stop: threading.Event, count: Callable[[int], None]) -> None:
        """Issue the profile's steps; see `PulsePlayer`."""
        self._halted.clear()
        pace = _Pace(self._clock)
        issued = self._pulse(profile.intervals_s, pace, stop, count)
        if stop.is_set():
            self._pulse(profile.stopping_intervals_s(issued), pace, threading.Event(), count)

    def halt(self) -> None:
        """Issue nothing more; see `PulsePlayer`."""
        self._halted.set()

    def close(self) -> None:
        """Free the line; safe to call twice."""
        if not self._line.closed:
            self._line.off()
            self._line.close()

    def _pulse(
        self, intervals_s: Intervals, pace: "_Pace", stop: threading.Event, count: Callable[[int], None]
    ) -> int:
        issued = 0
        for interval_s in intervals_s.tolist():
            if stop.is_set() or self._halted.is_set():
                break
            pace.wait(interval_s)
            self._pin.state = True
            self._pin.state = False
            count(1)
            issued += 1
        return issued


class _Pace:
    """When the next step is due, and how soon after the last one it may come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s = self._last_s = clock.now_s()

    def wait(self, interval_s: float) -> None:
        self._due_s += interval_s
        self._clock.sleep_until(max(self._due_s, self._last_s + CATCH_UP * interval_s))
        self._last_s = self._clock.now_s()
