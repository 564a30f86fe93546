"""The buzzer: a few beeps when a person is wanted or a model is there, and nothing else."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from drivers.protocols import DriverError, Lamp
from scannerd.board.state import Mood
from scannerd.control.lamp_patterns import Beat

LOG = logging.getLogger(__name__)


def _beeps(count: int, sounds_s: float, rests_s: float = 0.12) -> tuple[Beat, ...]:
    return tuple(beat for _ in range(count) for beat in (Beat(True, sounds_s), Beat(False, rests_s)))


BEEPS: Mapping[Mood, tuple[Beat, ...]] = {
    Mood.DONE: _beeps(2, 0.08),
    Mood.ASKING: _beeps(3, 0.08),
    Mood.FAULT: _beeps(1, 0.6),
}


class BuzzerControl:
    """Beeps once when the mood becomes one that has beeps."""

    def __init__(self, buzzer: Lamp | None, mood: Callable[[], Mood]) -> None:
        """Without a buzzer nothing sounds."""
        self._buzzer = buzzer
        self._mood = mood
        self._heard = mood()
        self._wake = asyncio.Event()

    def use(self, buzzer: Lamp | None) -> None:
        """Sound this one from now on, which is silent; None before one is closed."""
        self._buzzer = buzzer

    def look(self) -> None:
        """The mood may have changed. Call it in the event loop's thread."""
        if self._mood() is not self._heard:
            self._wake.set()

    async def run(self) -> None:
        """Beep until cancelled, then be silent."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                self._heard = self._mood()
                for beat in BEEPS.get(self._heard, ()):
                    self._sound(beat.lit)
                    await asyncio.sleep(beat.seconds)
        finally:
            self._sound(False)

    def _sound(self, on: bool) -> None:
        if self._buzzer is None:
            return
        try:
            self._buzzer.set_on(on)
        except DriverError as fault:
            # Nobody scans worse without it.
            LOG.error("the buzzer is silent from now on: %s", fault)
            self._buzzer = None
