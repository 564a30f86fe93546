"""A turntable, or a lift for the camera, behind a motion controller on a serial line."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeVar

from drivers.motion_profile import MotionLimits, move_time_with_play_s
from drivers.options_serial import SerialAxisOptions
from drivers.protocols import (
    AxisNotHomed,
    Clock,
    DriverError,
    EmergencyStopped,
    Homing,
)
from drivers.serial_board import SerialBoard
from drivers.serial_grbl import GrblLink
from drivers.serial_link import PositionLost, SerialLink, Wishes
from drivers.serial_marlin import MarlinLink
from drivers.serial_table import TableLink
from drivers.soft_limits import check_move, check_place

T = TypeVar("T")


class SerialAxis:
    """`Axis` of a controller, whose thread talks; the port is opened by the first call that needs it.

    Axes of the same controller name the same port, and move one after the other. A link that is broken is opened anew
    by the next call. Where the controller may have lost count, the angle is unknown until `home` or `believe`.
    """

    LINK: ClassVar[type[SerialLink]]

    def __init__(self, options: SerialAxisOptions, clock: Clock) -> None:
        """Nothing is opened yet."""
        self._options = options
        self._clock = clock
        self._moving = asyncio.Lock()
        self._wishes = Wishes()
        self._board = SerialBoard.join(self.LINK, options, self._wishes)
        self._closed = False
        self._zero: float | None = None
        """The controller's place at 0°, in units, as long as the board's epoch lasts; None: unknown."""
        self._epoch = 0
        self._at = 0.0
        """Where it stood when it was asked last, in units."""
        self._step_deg = 0.001 / options.units_per_deg
        self._limits = MotionLimits(options.max_speed_deg_s, options.acceleration_deg_s2)

    @property
    def step_deg(self) -> float:
        """Angle of one step; before the controller has told its own, of its last digit."""
        return self._step_deg

    @property
    def angle_deg(self) -> float:
        """Where the controller stood at the end of the last move. Raises AxisNotHomed."""
        if not self._knows:
            raise AxisNotHomed(f"{self._options.name}: position unknown; home it first")
        return self._angle_of(self._at)

    @property
    def _knows(self) -> bool:
        """Whether the place at 0° is known, and its controller has not lost it since."""
        return self._zero is not None and self._epoch == self._board.epoch

    async def home(self) -> Homing:
        """Let the controller home itself where it can; otherwise call the place where it stands 0.

        Raises LinkBroken, NeedsPerson. Cancelling decelerates; the angle is unknown then.
        """
        async with self._moving:
            halts = self._begin()
            before, self._zero = self._zero if self._knows else None, None
            return await self._in_thread(lambda: self._home(before), halts)

    async def believe(self, angle_deg: float) -> None:
        """Hold what stands here and call that this angle. Raises OutsideLimits, LinkBroken."""
        async with self._moving:
            halts = self._begin()
            check_place(self._options.name, angle_deg, self._options.soft_limits_deg)
            await self._in_thread(lambda: self._believe(angle_deg), halts)

    async def move_to(self, angle_deg: float) -> float:
        """Return the angle that the controller says it stands at, after it came to rest.

        Absolute. Raises AxisNotHomed, OutsideLimits, EmergencyStopped, LinkBroken. Cancelling decelerates, waits for
        the standstill and leaves the position known.
        """
        async with self._moving:
            halts = self._begin()
            from_deg = self.angle_deg
            check_move(
                self._options.name, from_deg, angle_deg, self._options.backlash_deg, self._options.soft_limits_deg
            )
            await self._in_thread(lambda: self._go(angle_deg), halts)
            return self.angle_deg

    def move_time_s(self, from_deg: float, to_deg: float) -> float:
        """Return what the profile needs for this move at the configured limits: the physical floor."""
        return move_time_with_play_s(from_deg, to_deg, self._options.backlash_deg, self._limits)

    async def release(self) -> None:
        """Switch the holding current off. The position counts as known until something moves the platter.

        Raises LinkBroken: nobody knows then whether it is off.
        """
        async with self._moving:
            if not self._closed:
                await self._in_thread(lambda: self._connected().release(), self._begin())

    def emergency_stop(self) -> None:
        """Stop at once, from any thread and without slowing down; the angle is unknown then."""
        self._board.halt()

    def cut_current(self) -> None:
        """Switch the motor off at once, from any thread and without slowing down: the process must end now."""
        self._closed = True
        self.emergency_stop()
        self._board.wait_briefly()

    async def close(self) -> None:
        """Decelerate if moving, switch the current off and free the port; safe to call twice."""
        self._closed = True
        self._wishes.stand_still.set()
        async with self._moving:
            with contextlib.suppress(RuntimeError):
                hang_up = partial(self._board.hang_up, self._wishes)
                await asyncio.get_running_loop().run_in_executor(self._board.executor, hang_up)
            self._board.leave(self._wishes)

    def _begin(self) -> int:
        """Return how often it has been halted; a later halt counts."""
        if self._closed:
            raise DriverError(f"{self._options.name}: closed; build a new one")
        self._wishes.stand_still.clear()
        self._wishes.halted.clear()
        return self._board.halts

    async def _in_thread(self, work: Callable[[], T], halts: int) -> T:
        """Let the thread do it; a cancellation slows the motor down and waits for the standstill."""
        working = asyncio.get_running_loop().run_in_executor(
            self._board.executor, self._board.guarded(work, self._look)
        )
        try:
            done = await asyncio.shield(working)
        except asyncio.CancelledError:
            self._wishes.stand_still.set()
            await asyncio.wait({working})
            if not working.cancelled():
                working.exception()
            raise
        except DriverError:
            if self._board.halts == halts:
                raise
        if self._board.halts != halts:
            self._zero = None
            raise EmergencyStopped(
                f"{self._options.name}: emergency stop, and where it stands is unknown; release the stop, then Resume"
            )
        return done

    def _connected(self) -> SerialLink:
        """In the thread: return a link that works. Raises LinkBroken, NeedsPerson."""
        link = self._board.link(self.LINK, self._options, self._clock, self._wishes)
        self._step_deg = link.resolution_units / self._options.units_per_deg
        return link

    def _look(self) -> None:
        """In the thread: bytes were lost, and both have found each other again: a move may have ended anywhere."""
        link = self._board.known_link(self._wishes)
        if link is not None:
            self._at = link.standing()

    def _home(self, before: float | None) -> Homing:
        link = self._connected()
        if not link.homes:
            link.energise()
            self._at = link.standing()
            self._know(self._at)
            return Homing("here")
        link.energise()
        self._at = link.home()
        zero = self._at - self._units_of(self._options.home_deg)
        self._know(zero)
        return Homing("controller", None if before is None else (zero - before) / self._options.units_per_deg)

    def _believe(self, angle_deg: float) -> None:
        link = self._connected()
        link.energise()
        self._at = link.standing()
        self._know(self._at - self._units_of(angle_deg))

    def _know(self, zero: float) -> None:
        self._zero, self._epoch = zero, self._board.epoch

    def _go(self, angle_deg: float) -> None:
        """Reach a place forward, so that the play is taken up."""
        link = self._connected()
        if not self._knows:
            raise PositionLost(f"{self._options.name}: its controller was away; where it stands has to be found anew")
        here = link.standing()
        if abs(here - self._at) > 2 * link.resolution_units + 0.002:
            stood, self._at = self._at, here
            raise PositionLost(f"{link.where}: stands at {here:.3f}, was left at {stood:.3f}; was it reset?")
        link.energise()
        play_deg = self._options.backlash_deg
        if play_deg and angle_deg < self._angle_of(here) - self._step_deg / 2:
            self._move(link, angle_deg - play_deg)
        self._move(link, angle_deg)
        if self._closed:
            raise DriverError(
                f"{self._options.name}: stopped at {self._angle_of(self._at):.2f}° on the way to {angle_deg:.2f}°"
            )

    def _move(self, link: SerialLink, angle_deg: float) -> None:
        assert self._zero is not None
        target = self._zero + self._units_of(angle_deg)
        if self._wishes.stand_still.is_set() or abs(target - self._at) < link.resolution_units / 2:
            return
        self._at = link.move(self._at, target)

    def _units_of(self, angle_deg: float) -> float:
        return angle_deg * self._options.units_per_deg * (-1 if self._options.reversed else 1)

    def _angle_of(self, units: float) -> float:
        assert self._zero is not None
        return (units - self._zero) / self._options.units_per_deg * (-1 if self._options.reversed else 1)


class GrblAxis(SerialAxis):
    """`Axis` behind GRBL 1.1 or grblHAL."""

    LINK = GrblLink


class MarlinAxis(SerialAxis):
    """`Axis` behind Marlin."""

    LINK = MarlinLink


class TableAxis(SerialAxis):
    """`Axis` that is a simple table with a language of its own."""

    LINK = TableLink
