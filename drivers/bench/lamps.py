"""What shines on the bench as the program under test wants it: the lamp in the button, the light on the object."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

REMEMBERED_CHANGES = 1024
AMBIENT_SHARE = 0.15
"""Of the bench's usual light: what the room still gives when the light on the object is off."""


@dataclass(frozen=True)
class Flash:
    """The lamp went on or off."""

    at_s: float
    """On CLOCK_MONOTONIC, unless told otherwise: blinking is for people, who live in the system's time."""
    lit: bool


class SimulatedLamp:
    """A light-emitting diode between a pin and ground. Remembers its last changes."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Dark."""
        self.now_s = now_s
        """The clock of those who look at it."""
        self._lock = threading.Lock()
        self._flashes: deque[Flash] = deque(maxlen=REMEMBERED_CHANGES)
        self._lit = False

    @property
    def lit(self) -> bool:
        """Whether it shines."""
        return self._lit

    def hear(self, level: float) -> None:
        """The wire's level."""
        with self._lock:
            if (level > 0) != self._lit:
                self._lit = level > 0
                self._flashes.append(Flash(self.now_s(), self._lit))

    def flashes(self) -> list[Flash]:
        """Return the last changes, oldest first."""
        with self._lock:
            return list(self._flashes)


class SimulatedLight:
    """A dimmable light on the object, on top of the room's; where none is fitted, the bench's soft boxes stay on."""

    def __init__(self, fitted: bool = False) -> None:
        """Off, if it is there."""
        self.fitted = fitted
        self.levels = (0.0, 0.0, 0.0)
        """Of red, green and blue, 0 to 1."""

    @property
    def level(self) -> float:
        """Of all it has, how much shines; a white light's duty cycle."""
        first = self.levels[0]
        return first + sum(level - first for level in self.levels) / 3

    @property
    def brightness(self) -> float:
        """All light together, as a share of the bench's usual light."""
        return AMBIENT_SHARE + (1 - AMBIENT_SHARE) * self.level if self.fitted else 1.0

    @property
    def tint(self) -> tuple[float, float, float]:
        """Red, green and blue of all light together, over its brightness: 1 each is white."""
        if not self.fitted:
            return 1.0, 1.0, 1.0
        red, green, blue = ((AMBIENT_SHARE + (1 - AMBIENT_SHARE) * level) / self.brightness for level in self.levels)
        return red, green, blue

    @property
    def share_of_all(self) -> float:
        """Of all light together, what comes from this one; the rest comes from lamps on the mains."""
        return (1 - AMBIENT_SHARE) * self.level / self.brightness if self.fitted else 0.0

    def hear(self, level: float) -> None:
        """The wire's duty cycle: fast enough that nobody sees it flicker, unless the world wants it seen."""
        self.levels = (float(level),) * 3

    def shine(self, levels: tuple[float, float, float]) -> None:
        """In red, green and blue, 0 to 1, as a ring of many diodes does."""
        self.levels = levels
