"""A motor too weak for what it turns: pulses that come and turn nothing."""

import random


class MotorWeakness:
    """Lost steps, on request: a number of the next ones, or a share of all that come too fast."""

    def __init__(self, seed: int = 0) -> None:
        """As strong as can be."""
        self._random = random.Random(seed)
        self._to_lose = 0
        self._from_deg_s = float("inf")
        self._share = 0.0
        self._last_s: float | None = None
        self.lost = 0
        """Pulses that turned nothing so far."""

    def lose(self, steps: int) -> None:
        """Turn nothing for so many pulses more."""
        self._to_lose += steps

    def stall_above(self, speed_deg_s: float, share: float = 1.0) -> None:
        """Turn nothing for a share (0 to 1) of the pulses that come faster than this speed of the platter."""
        self._from_deg_s, self._share = speed_deg_s, share

    def recover(self) -> None:
        """Be as strong as ever."""
        self._to_lose, self._share, self._from_deg_s = 0, 0.0, float("inf")

    def follows(self, now_s: float, step_deg: float) -> bool:
        """Whether the motor makes the step of this pulse. Times are the bench's."""
        before_s, self._last_s = self._last_s, now_s
        if self._to_lose > 0:
            self._to_lose -= 1
            self.lost += 1
            return False
        fast = before_s is not None and step_deg > self._from_deg_s * (now_s - before_s)
        if fast and self._random.random() < self._share:
            self.lost += 1
            return False
        return True
