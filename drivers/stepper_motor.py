"""A stepper motor behind its driver board: it turns by steps, counts them, and knows nothing of angles.

What blocks is called from one thread, the motor's own.
"""

import threading
from collections.abc import Callable

from gpiozero import GPIOZeroError

from drivers.motion_profile import MotionLimits, plan_move
from drivers.options import StepperGpioOptions
from drivers.protocols import Clock, DriverError
from drivers.pulse_choice import pulse_player
from drivers.pulse_player import PulsePlayer
from drivers.stepper_lines import StepperLines

WAKE_S = 0.002
"""From ENABLE to the first step: the common boards' charge pumps need 1 ms."""


class StepperMotor:
    """Lines, pulses and a count."""

    def __init__(self, options: StepperGpioOptions, clock: Clock) -> None:
        """Claim the pins, motor off. Raises DriverError when they cannot be had."""
        self._options = options
        self._clock = clock
        lines: StepperLines | None = None
        try:
            self._lines = lines = StepperLines(options)
            self._player: PulsePlayer = pulse_player(options, clock)
        except (GPIOZeroError, DriverError) as error:
            if lines is not None:
                lines.close()
            if isinstance(error, DriverError):
                raise
            raise DriverError(
                f"{options.name}: {error}; check [{options.name}] pins and who else uses GPIO"
            ) from error
        self._stop = threading.Event()
        self._wanted_still = threading.Event()
        self._halting = threading.Lock()
        self.halts = 0
        """How often it was stopped at once."""
        self._way = 1
        self.position = 0
        """Steps forward less steps backward, true also in the middle of a move, to what is queued at most."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it to stand still."""
        return self._wanted_still.is_set()

    @property
    def at_index(self) -> bool:
        """Whether the index is met at this moment."""
        return self._lines.at_index

    def on_index(self, listener: Callable[[], None] | None) -> None:
        """Tell when the index is met, in another thread; None: nobody."""
        self._lines.on_index(listener)

    def begin(self, halts: int) -> None:
        """Turn when asked to, whatever was cancelled before; not if it was halted since there had been `halts`."""
        with self._halting:
            if self.halts == halts:
                self._wanted_still.clear()

    def turn(self, steps: int, limits: MotionLimits, stop: threading.Event | None = None) -> None:
        """Make a move of so many steps, negative for backward, and return after the last. Raises DriverError.

        `stop` or `cancel` slow it down and end it early; `position` tells where.
        """
        self._stop = stop = stop or threading.Event()
        if self.cancelled or not steps:
            return
        self._way = 1 if steps > 0 else -1
        self._lines.turn(forward=steps > 0)
        self.energise()
        if self.cancelled:
            # Halted while it was being energised: the current is off, and stays off.
            self._lines.let_go()
            return
        self._player.play(plan_move(abs(steps), self._options.step_deg, limits), stop, self._count)

    def wait(self, seconds: float) -> None:
        """Stand still for so long."""
        self._clock.sleep_until(self._clock.now_s() + seconds)

    def energise(self) -> None:
        """Let the motor hold what it turns."""
        self._player.prepare()
        if not self._lines.energised:
            self._lines.energise()
            self.wait(WAKE_S)

    def let_go(self) -> None:
        """Switch the holding current off, from any thread."""
        self._lines.let_go()
        self._player.rest()

    def cancel(self) -> None:
        """Slow down and stand still until `begin`, from any thread."""
        self._wanted_still.set()
        self._stop.set()

    def halt(self) -> None:
        """Stop pulses and current at once, from any thread; `position` is not true any more."""
        with self._halting:
            self.halts += 1
            self.cancel()
        self._player.halt()
        self.let_go()

    def close(self) -> None:
        """Free line and pins, motor off; safe to call twice. No move is under way."""
        self._player.close()
        self._lines.close()

    def _count(self, steps: int) -> None:
        self.position += self._way * steps
