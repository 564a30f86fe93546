"""The motor behind a simulated G-code controller: ramps within speed and acceleration, and steps that come of them.

Standard library only, so that a controller runs alone where nothing else is installed.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TICK_S = 0.0005
"""Of the controller's step generator, on the bench's clock."""
FARTHEST_BEHIND_S = 2.0
"""A process that slept longer than this does not catch up: its world did not go on either."""

Pulse = Callable[[int, float, bool], None]
"""Takes +1 or -1, when the step was made, and whether the motor had current."""
AtSwitch = Callable[[float], bool]
"""Whether the switch was closed at that moment, now or a little ago."""


def no_switch(_: float) -> bool:
    """None is wired."""
    return False


@dataclass(frozen=True)
class Block:
    """One straight move."""

    goal: float
    """In units, of the machine."""
    feed_s: float
    """Units per second."""


class SerialMotor:
    """One axis. Positions are in units of the machine, times the bench's."""

    def __init__(self, now_s: Callable[[], float], steps_per_unit: float, pulse: Pulse) -> None:
        """Stand at 0 without current."""
        self._now_s = now_s
        self._pulse = pulse
        self._at_s = now_s()
        self._exact = 0.0
        self._speed = 0.0
        self._blocks: deque[Block] = deque()
        self._holding = False
        self._sought: AtSwitch | None = None
        self.found = False
        """Whether the switch that was sought last has stopped it."""
        self.steps_per_unit = steps_per_unit
        self.acceleration = 100.0
        self.steps = 0
        self.enabled = False

    @property
    def position(self) -> float:
        """Where the counted steps are."""
        return self.steps / self.steps_per_unit

    @property
    def speed(self) -> float:
        """Units per second at this moment, signed."""
        return self._speed

    @property
    def planned(self) -> float:
        """Where it will be once everything queued is done."""
        return self._blocks[-1].goal if self._blocks else self.position

    @property
    def moving(self) -> bool:
        """Whether there is anything left to do; false in a hold that has come to rest."""
        return bool(self._blocks) and not (self._holding and self._speed == 0)

    @property
    def queued(self) -> int:
        """Blocks not yet done."""
        return len(self._blocks)

    def go(self, goal: float, feed_s: float) -> None:
        """Add a move to a place."""
        if not self._blocks:
            self._at_s = self._now_s()
        self.enabled = True
        self._sought = None
        self._blocks.append(Block(goal, feed_s))

    def seek(self, goal: float, feed_s: float, at_switch: AtSwitch) -> None:
        """Go there, and stand still within a tick of meeting the switch, however late anybody looks."""
        self.found = at_switch(self._now_s())
        if not self.found:
            self.go(goal, feed_s)
            self._sought = at_switch

    def hold(self) -> None:
        """Slow down and rest, keeping what is queued."""
        self._holding = True

    def resume(self) -> None:
        """Go on."""
        self._holding = False
        self._at_s = self._now_s()

    def drop(self) -> None:
        """Forget what is queued and stand still at once."""
        self._blocks.clear()
        self._sought = None
        self._holding, self._speed = False, 0.0
        self._exact = self.position

    def let_go(self) -> None:
        """Stand still at once, without current."""
        self.drop()
        self.enabled = False

    def place(self, position: float) -> None:
        """Call this place so; nothing turns."""
        self.steps = round(position * self.steps_per_unit)
        self._exact = self.position

    def advance(self) -> None:
        """Make the steps that are due by now."""
        now_s = self._now_s()
        self._at_s = max(self._at_s, now_s - FARTHEST_BEHIND_S)
        while self._blocks and not (self._holding and self._speed == 0) and self._at_s + TICK_S <= now_s:
            self._at_s += TICK_S
            self._tick()
        if not self.moving:
            self._at_s = now_s

    def _tick(self) -> None:
        block = self._blocks[0]
        left = block.goal - self._exact
        way = math.copysign(1.0, left) if left else 1.0
        fastest = 0.0 if self._holding else min(block.feed_s, math.sqrt(2 * self.acceleration * self._room(way)))
        change = self.acceleration * TICK_S
        now = abs(self._speed)
        speed = min(now + change, fastest) if now < fastest else max(now - change, fastest)
        if self._holding and speed <= change:
            speed = 0.0
        self._speed = way * speed
        reach = speed * TICK_S
        if reach >= abs(left) or abs(left) * self.steps_per_unit < 0.01:
            self._exact = block.goal
            self._blocks.popleft()
            if not self._blocks or math.copysign(1.0, self._blocks[0].goal - self._exact) != way:
                self._speed = 0.0
        else:
            self._exact += way * reach
        self._step_to(round(self._exact * self.steps_per_unit))

    def _room(self, way: float) -> float:
        """How far it goes on in this direction, over all blocks that do."""
        room, at = 0.0, self._exact
        for block in self._blocks:
            left = (block.goal - at) * way
            if left < 0:
                break
            room, at = room + left, block.goal
        return room

    def _step_to(self, steps: int) -> None:
        way = 1 if steps > self.steps else -1
        while self.steps != steps:
            self.steps += way
            self._pulse(way, self._at_s, self.enabled)
        if self._sought is not None and self._sought(self._at_s):
            self.found = True
            self.drop()
