"""A move on its way out: which steps come next, and how it ends early or begins again after a standstill. Pure.

A move accelerates over its first steps and decelerates over its last ones as the same read backwards. Stopping is
therefore its tail; going on after a standstill is the whole move, less as many steps of its middle as are out.
"""

from collections.abc import Sequence


class OutgoingMove:
    """The steps of one move, in order."""

    def __init__(self, delays_us: Sequence[int], ramp_steps: int) -> None:
        """`delays_us`: the wait before each step; `ramp_steps`: how many it takes to full speed."""
        self._plan = delays_us
        self._ramp_steps = ramp_steps
        self._since_rest = 0
        self._stopping = False

    @property
    def left(self) -> int:
        """How many steps are to come."""
        return len(self._plan) - self._since_rest

    def take(self, longest_us: int) -> list[int]:
        """Return the next waits, of about so long together: at least one, none when nothing is left."""
        begin = end = self._since_rest
        taken_us = 0
        while end < len(self._plan) and (end == begin or taken_us + self._plan[end] <= longest_us):
            taken_us += self._plan[end]
            end += 1
        self._since_rest = end
        return list(self._plan[begin:end])

    def stop(self) -> None:
        """Slow down from the speed that the last step taken has, and end."""
        if not self._stopping:
            self._stopping = True
            self._begin_anew(self._plan[len(self._plan) - min(self._since_rest, self.left, self._ramp_steps) :])

    def stand(self) -> None:
        """The motor stands although steps are left: begin the rest as a move of its own, or end what was ending."""
        if self._stopping:
            self._begin_anew(())
            return
        rising = min(self._ramp_steps, self.left // 2)
        falling = self.left - rising
        self._begin_anew([*self._plan[:rising], *self._plan[len(self._plan) - falling :]])

    def _begin_anew(self, plan: Sequence[int]) -> None:
        self._plan, self._since_rest = plan, 0
