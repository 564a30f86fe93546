"""STEP pulses as lgpio's waves: a thread of its C library times them, in a process that has nothing else to do.

The process runs from when a motor gets current until it rests: what lgpio forgets to free goes with it.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from drivers.gpio_lines import chip_at, held_lines
from drivers.lgpio_link import OVER
from drivers.lgpio_process import LgpioProcess, ProcessGone
from drivers.motion_profile import MotionProfile
from drivers.patience import Patience
from drivers.protocols import Clock, DriverError, LinkBroken
from drivers.pulse_chunks import delays_us

GLANCE_S = 0.01
"""How soon a stop is passed on."""
LATE_S = 2.0
"""So much later than its longest step the process says how far it is, or it hangs."""


class LgpioPulsePlayer:
    """`PulsePlayer` on one line of /dev/gpiochip`chip`."""

    def __init__(self, chip: int, step_pin: int, clock: Clock) -> None:
        """Look whether the line can be had; it is taken by `prepare`. Raises DriverError."""
        self._chip = chip
        self._pin = step_pin
        self._clock = clock
        self._playing = threading.Lock()
        self._changing = threading.Lock()
        self._halted = threading.Event()
        self._process: LgpioProcess | None = None
        _refuse_if_held(Path(f"/dev/gpiochip{chip}"), step_pin)

    def prepare(self) -> None:
        """A move comes soon: start the process, and do not wait for it. Raises DriverError."""
        with self._changing:
            if self._process is not None and not self._process.lives:
                self._process.bury()
                self._process = None
            if self._process is None:
                try:
                    self._process = LgpioProcess(self._chip, self._pin)
                except OSError as error:
                    raise DriverError(f"GPIO{self._pin}: no process for its pulses: {error}") from error

    def play(self, profile: MotionProfile, stop: threading.Event, count: Callable[[int], None]) -> None:
        """Issue the profile's steps; see `PulsePlayer`. Raises LinkBroken when the process dies or hangs."""
        with self._playing:
            self._halted.clear()
            try:
                self._play(profile, stop, count)
            except ProcessGone as gone:
                self._bury()
                if not self._halted.is_set():
                    raise LinkBroken(
                        f"GPIO{self._pin}: the process that plays its pulses {gone}; where the motor stands is "
                        "unknown, and the next move starts another; see `journalctl -u scannerd`, then Resume"
                    ) from gone
            except DriverError:
                self._bury()
                raise
            if self._halted.is_set():
                self._bury()

    def halt(self) -> None:
        """Issue nothing more: kill the process; see `PulsePlayer`."""
        self._halted.set()
        process = self._process
        if process is not None:
            process.kill()

    def rest(self) -> None:
        """No move comes soon: end the process, unless a move is under way."""
        if self._playing.acquire(blocking=False):
            try:
                self._bury()
            finally:
                self._playing.release()

    def close(self) -> None:
        """End the process; safe to call twice."""
        self.rest()

    def _play(self, profile: MotionProfile, stop: threading.Event, count: Callable[[int], None]) -> None:
        delays = delays_us(profile.intervals_s)
        process = self._ready_process()
        if stop.is_set() or not len(delays):
            return
        process.move(delays, profile.ramp_steps)
        patience_s = LATE_S + float(delays.max()) * 1e-6
        patience = Patience(self._clock, patience_s)
        issued, told = 0, False
        while True:
            if stop.is_set() and not told:
                told = True
                process.stop()
            word = process.hear(GLANCE_S)
            if word is not None:
                kind, steps = word
                count(steps - issued)
                if kind == OVER:
                    return
                issued, patience = steps, Patience(self._clock, patience_s)
            elif patience.left_s <= 0:
                raise ProcessGone(f"has not said for {patience_s:.1f} s how far it is")

    def _ready_process(self) -> LgpioProcess:
        self.prepare()
        process = self._process
        if process is None:
            raise ProcessGone("was ended before it began")
        process.wait_until_ready()
        return process

    def _bury(self) -> None:
        with self._changing:
            process, self._process = self._process, None
            if process is not None:
                process.bury()


def _refuse_if_held(path: Path, pin: int) -> None:
    if not path.exists():
        return
    try:
        held = held_lines(chip_at(path), [pin])
    except OSError as error:
        raise DriverError(f"{path}: {error.strerror}; is this user in the group gpio?") from error
    for line in held:
        raise DriverError(f"GPIO{pin}: {line.by} has it already; `gpioinfo` tells which program that is")
