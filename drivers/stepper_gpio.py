"""A turntable, or a lift for the camera, behind a STEP/DIR/ENABLE stepper driver on GPIO pins."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drivers.index_search import IndexSearch
from drivers.motion_profile import MotionLimits, move_time_with_play_s
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, Clock, DriverError, EmergencyStopped, Homing, LinkBroken
from drivers.soft_limits import check_move, check_place
from drivers.stepper_motor import StepperMotor

T = TypeVar("T")


class StepperGpio:
    """`Axis` over a `StepperMotor` with a thread of its own.

    With play in belt or gear, every place is reached forward: a move back goes past it and returns. Angles are those
    of the platter when it was reached that way.
    """

    def __init__(self, options: StepperGpioOptions, clock: Clock) -> None:
        """Claim the pins, motor off. Raises DriverError when they cannot be had."""
        self._options = options
        self._limits = MotionLimits(options.max_speed_deg_s, options.acceleration_deg_s2, options.smoothing_s)
        self._motor = StepperMotor(options, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=options.name)
        self._moving = asyncio.Lock()
        self._closed = False
        self._zero: int | None = None
        """The motor's position at 0°; None: unknown."""
        self._play_taken_up = False

    @property
    def step_deg(self) -> float:
        """Angle of one microstep at the platter, or of the camera."""
        return self._options.step_deg

    @property
    def angle_deg(self) -> float:
        """Commanded angle after the last issued step. Raises AxisNotHomed."""
        if self._zero is None:
            raise AxisNotHomed(f"{self._options.name}: position unknown; home it first")
        return (self._motor.position - self._zero) * self.step_deg

    async def home(self) -> Homing:
        """Look for the index and know the angle there; without one hold the platter here and call that angle 0.

        Raises NeedsPerson where the index is not met in a whole turn. Cancelling decelerates; the angle is unknown
        then.
        """
        if self._options.index is None:
            await self.believe(0.0)
            return Homing("here")
        async with self._moving:
            halts = self._motor.halts
            zero, self._zero = self._zero, None
            return await self._in_thread(lambda: self._find_index(zero), halts)

    async def believe(self, angle_deg: float) -> None:
        """Hold what stands here and call that this angle. Raises OutsideLimits."""
        async with self._moving:
            halts = self._motor.halts
            check_place(self._options.name, angle_deg, self._options.soft_limits_deg)
            await self._in_thread(self._motor.energise, halts)
            self._zero = self._motor.position - round(angle_deg / self.step_deg)

    async def move_to(self, angle_deg: float) -> float:
        """Return the commanded angle, the step nearest to the wish, once the last step is issued.

        Absolute. Does not settle. Raises AxisNotHomed, OutsideLimits, EmergencyStopped. Cancelling decelerates, waits
        for the standstill and leaves the position known.
        """
        async with self._moving:
            halts = self._motor.halts
            from_deg = self.angle_deg
            check_move(self._options.name, from_deg, angle_deg, self._play_deg, self._options.soft_limits_deg)
            target = self._motor.position - round(from_deg / self.step_deg) + round(angle_deg / self.step_deg)
            await self._in_thread(lambda: self._go(target), halts)
            if self._motor.position != target:
                way = f"from {from_deg:.2f}° to {angle_deg:.2f}°"
                raise DriverError(f"{self._options.name}: stopped at {self.angle_deg:.2f}° on the way {way}")
            return self.angle_deg

    def move_time_s(self, from_deg: float, to_deg: float) -> float:
        """Return what the profile needs for this move at the configured limits: the physical floor."""
        return move_time_with_play_s(from_deg, to_deg, self._play_deg, self._limits)

    async def release(self) -> None:
        """Switch the holding current off. The position counts as known until something moves the platter."""
        async with self._moving:
            self._motor.let_go()

    def emergency_stop(self) -> None:
        """Stop pulses and current at once, from any thread and without slowing down; the angle is unknown then."""
        self._motor.halt()
        self._zero = None

    def cut_current(self) -> None:
        """Switch the motor off at once, from any thread and without slowing down: the process must end now."""
        self._closed = True
        self._motor.halt()

    async def close(self) -> None:
        """Decelerate if moving, switch the current off and free the pins; safe to call twice."""
        self._closed = True
        self._motor.cancel()
        async with self._moving:
            self._thread.shutdown()
            self._motor.close()

    @property
    def _play_deg(self) -> float:
        return self._options.backlash_steps * self.step_deg

    async def _in_thread(self, work: Callable[[], T], halts: int) -> T:
        """Let the motor's thread do it; a cancellation slows the motor down and waits for the standstill.

        `halts` is how often the motor had been halted when the work was decided on: a later halt counts.
        """
        if self._closed:
            raise DriverError(f"{self._options.name}: closed; build a new one")
        self._motor.begin(halts)
        working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            done = await asyncio.shield(working)
        except asyncio.CancelledError:
            self._motor.cancel()
            await asyncio.wait({working})
            raise
        finally:
            halted = self._motor.halts != halts
            if halted or (working.done() and isinstance(working.exception(), LinkBroken)):
                self._zero = None
        if halted and not self._closed:
            raise EmergencyStopped(
                f"{self._options.name}: emergency stop, and where it stands is unknown; release the stop, then Resume"
            )
        return done

    def _go(self, target: int) -> None:
        """In the motor's thread: reach a position forward, so that the play is taken up."""
        play, way = self._options.backlash_steps, target - self._motor.position
        if play and (way < 0 or (way < play and not self._play_taken_up)):
            self._motor.turn(way - play, self._limits)
            self._play_taken_up = False
            way = target - self._motor.position
        self._motor.turn(way, self._limits)
        self._play_taken_up |= way >= play

    def _find_index(self, zero: int | None) -> Homing:
        """In the motor's thread. `zero` is where 0° was taken to be until now."""
        index = self._options.index
        assert index is not None
        edge = IndexSearch(self._motor, self._options, index).edge()
        forward = index.search == "forward"
        at_index = round(index.angle_deg / self.step_deg) - (0 if forward else self._options.backlash_steps)
        self._zero, self._play_taken_up = edge - at_index, forward
        return Homing("index", None if zero is None else self._apart_deg(edge - at_index - zero))

    def _apart_deg(self, steps: int) -> float:
        apart_deg = steps * self.step_deg
        return apart_deg if self._options.soft_limits_deg else (apart_deg + 180) % 360 - 180
