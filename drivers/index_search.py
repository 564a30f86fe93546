"""Homing: meeting the edge of an index sensor, to the step.

Fast until the sensor is seen, back to before its edge, and then step by step, waiting for the platter after each: so
the place depends neither on how soon anybody heard of the sensor nor on how the platter swings. The edge is always
met from the same side, which takes up any play.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from drivers.motion_profile import MotionLimits
from drivers.options import IndexOptions, StepperGpioOptions
from drivers.protocols import DriverError, NeedsPerson

MORE_THAN_A_TURN_DEG = 380.0
CLEAR_OF_EDGE_DEG = 1.0
"""So far before the edge the slow approach begins."""
CREEP_S = 0.02
"""After each step of the slow approach: a platter follows its motor that late."""


class SearchedMotor(Protocol):
    """What a search needs of the motor. Positions are steps as counted so far, forward is more."""

    @property
    def position(self) -> int:
        """Steps forward less steps backward."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it to stand still."""

    def turn(self, steps: int, limits: MotionLimits, stop: threading.Event | None = None) -> None:
        """Make a move of so many steps, negative for backward; `stop` ends it early. Raises DriverError."""

    def wait(self, seconds: float) -> None:
        """Stand still for so long."""

    @property
    def at_index(self) -> bool:
        """Whether the sensor is active."""

    def on_index(self, listener: Callable[[], None] | None) -> None:
        """Tell when it becomes active, in another thread; None: nobody."""


class IndexSearch:
    """One search, in the motor's thread."""

    def __init__(self, motor: SearchedMotor, axis: StepperGpioOptions, index: IndexOptions) -> None:
        self._name = axis.name
        self._motor = motor
        self._index = index
        self._step_deg = axis.step_deg
        self._play_steps = axis.backlash_steps
        self._limits = MotionLimits(min(index.speed_deg_s, axis.max_speed_deg_s), axis.acceleration_deg_s2)
        self._way = 1 if index.search == "forward" else -1

    def edge(self) -> int:
        """Return the position at which the sensor becomes active, standing there.

        Raises NeedsPerson when it does not in a whole turn; DriverError when the motor is stopped meanwhile.
        """
        self._leave_index()
        self._go_before(self._meet())
        return self._creep()

    def _leave_index(self) -> None:
        """Start from outside, whichever part of the index is under the sensor."""
        most = 2 * self._steps(self._index.width_deg) + self._play_steps
        gone = 0
        while self._motor.at_index:
            if gone > most:
                raise NeedsPerson(
                    f"{self._name}: index sensor on GPIO{self._index.pin} is active over more than "
                    f"{self._index.width_deg:g}°; check its wiring and its active level"
                )
            self._turn(-self._way * self._steps(CLEAR_OF_EDGE_DEG))
            gone += self._steps(CLEAR_OF_EDGE_DEG)

    def _meet(self) -> int:
        seen_at: list[int] = []
        seen = threading.Event()

        def tell() -> None:
            seen_at.append(self._motor.position)
            seen.set()

        self._motor.on_index(tell)
        try:
            self._turn(self._way * self._steps(MORE_THAN_A_TURN_DEG), seen)
        finally:
            self._motor.on_index(None)
        if not seen_at:
            raise NeedsPerson(
                f"{self._name}: index sensor on GPIO{self._index.pin} not met in a whole turn; does the motor turn, "
                "does the flag pass the sensor, is its active level right?"
            )
        return seen_at[0]

    def _go_before(self, met_at: int) -> None:
        """Go back past the edge and its play, and come near again, so that the play is taken up."""
        clear = self._steps(CLEAR_OF_EDGE_DEG)
        self._turn(met_at - self._way * (2 * clear + self._play_steps) - self._motor.position)
        self._leave_index()

    def _creep(self) -> int:
        most = 4 * self._steps(CLEAR_OF_EDGE_DEG) + 2 * self._play_steps + self._steps(self._index.width_deg)
        for _ in range(most):
            if self._motor.at_index:
                return self._motor.position
            self._turn(self._way)
            self._motor.wait(CREEP_S)
        raise NeedsPerson(
            f"{self._name}: index sensor on GPIO{self._index.pin} was met at speed and not when creeping over "
            f"{most * self._step_deg:.1f}°; is the sensor loose, or does the motor lose steps?"
        )

    def _turn(self, steps: int, stop: threading.Event | None = None) -> None:
        self._motor.turn(steps, self._limits, stop)
        if self._motor.cancelled:
            raise DriverError(f"{self._name}: stopped while looking for its index; home it again")

    def _steps(self, angle_deg: float) -> int:
        return max(1, round(angle_deg / self._step_deg))
