"""The STEP line, played by lgpio's waves: their thread, what it does to time, and what is known of it.

lgpio has one thread for all waves and all PWM of a process. It keeps a clock of its own, which goes on by each wait
to the microsecond and, while there is nothing to play, by 20 ms: so a wave begins at the thread's next look, and when
that is can be reckoned from when the thread began. What is overdue it plays at once, however much that is; queued
waves are never freed; with waves and PWM in one process it may hang. Hence a process with one line and no PWM
(drivers/lgpio_waves.py), in which little is ever queued.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from drivers.pulse_width import PULSE_US

LOOK_US = 20_000
"""How often the thread looks for a wave while it plays none."""
TOO_SOON_US = 500
"""Nobody knows whether a look that is so near would see a wave."""
SLOTS = 10
"""Of its queue; the wave being played has one of them."""
_LEAST_US = PULSE_US + 2


class WaveLine:
    """One line, claimed as a group of one: only groups play waves."""

    def __init__(
        self, lgpio: Any, chip: int, pin: int, now_us: Callable[[], int], sleep_us: Callable[[int], None]
    ) -> None:
        """Take line `pin` of /dev/gpiochip`chip`, low, and low once it is freed. Raises lgpio.error."""
        self._lgpio = lgpio
        self._pin = pin
        self._now_us, self._sleep_us = now_us, sleep_us
        self._handle = lgpio.gpiochip_open(chip)
        self._looked_us = now_us()
        """A moment at which the thread looked, or looks: when what is queued ends."""
        lgpio.group_claim_output(self._handle, [pin], [0], lgpio.SET_PULL_DOWN)
        self._queued: deque[tuple[int, int]] = deque()
        """Steps of each wave, and when it ends."""

    @property
    def waves(self) -> int:
        """How many waves are queued, the one being played included, when last counted."""
        return len(self._queued)

    @property
    def wave_ends_us(self) -> int:
        """When the wave that is played is to end; there is one."""
        return self._queued[0][1]

    def count(self) -> int:
        """Return how many steps have come out since the last call, by whole waves. Raises lgpio.error."""
        left = 0
        if self._queued and self._lgpio.tx_busy(self._handle, self._pin, self._lgpio.TX_WAVE):
            left = SLOTS - int(self._lgpio.tx_room(self._handle, self._pin, self._lgpio.TX_WAVE))
        steps = 0
        while len(self._queued) > left:
            steps += self._queued.popleft()[0]
        return steps

    def begin(self, delays_us: list[int], ordered_us: int) -> None:
        """Play from a standstill; the first step is due so long after `ordered_us`. Raises lgpio.error."""
        while (to_look_us := self._next_look_us(now_us := self._now_us()) - now_us) < TOO_SOON_US:
            self._sleep_us(to_look_us + TOO_SOON_US)
        waited_us = now_us + to_look_us - ordered_us
        self._put([max(delays_us[0] - waited_us, _LEAST_US), *delays_us[1:]])

    def follow(self, delays_us: list[int]) -> bool:
        """Play after what is queued; return whether there was no gap in between. Raises lgpio.error."""
        return self._put(delays_us)

    def _put(self, delays_us: list[int]) -> bool:
        room: int = self._lgpio.tx_wave(self._handle, self._pin, self._pulses(delays_us))
        follows = room < SLOTS - 1
        self._looked_us = (self._looked_us if follows else self._next_look_us(self._now_us())) + sum(delays_us)
        self._queued.append((len(delays_us), self._looked_us))
        return follows

    def _next_look_us(self, now_us: int) -> int:
        return self._looked_us + max(-(-(now_us - self._looked_us) // LOOK_US), 0) * LOOK_US

    def _pulses(self, delays_us: Sequence[int]) -> list[Any]:
        """Return each wait with STEP low, then STEP high, and low at the end: as long as the waits together."""
        pulse = self._lgpio.pulse
        found = [pulse(0, 1, delays_us[0] - PULSE_US - 1), pulse(1, 1, PULSE_US)]
        for delay_us in delays_us[1:]:
            found += (pulse(0, 1, delay_us - PULSE_US), pulse(1, 1, PULSE_US))
        return [*found, pulse(0, 1, 1)]
