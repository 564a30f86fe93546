"""The lamp in the button: plays the pattern of what a person should know now."""

import asyncio
import logging
from collections.abc import Callable

from drivers.protocols import DriverError, Lamp
from scannerd.board.state import Mood
from scannerd.control.lamp_patterns import PATTERNS, WARNING, Pattern, code_pattern

LOG = logging.getLogger(__name__)

LOOK_S = 0.5
"""A mood may end by the time alone, as the news of a model does."""


class LampControl:
    """Shows the mood; over it, once asked to, a pairing code; over all, the warning of a long press."""

    def __init__(self, lamp: Lamp | None, mood: Callable[[], Mood]) -> None:
        """Without a lamp everything is said to nobody."""
        self._lamp = lamp
        self._mood = mood
        self._wake = asyncio.Event()
        self._warns = False
        self._code: Pattern | None = None
        self._code_mood: Mood | None = None
        self._lit: bool | None = None

    def use(self, lamp: Lamp | None) -> None:
        """Play on this lamp from now on, which is as dark as a new one is; None before one is closed."""
        self._lamp, self._lit = lamp, None
        self._wake.set()

    def look(self) -> None:
        """The mood may have changed. Call it in the event loop's thread."""
        self._wake.set()

    def warn(self, on: bool) -> None:
        """Warn that the button is about to cancel something, or stop warning."""
        self._warns = on
        self._wake.set()

    def show_code(self, code: str) -> None:
        """Blink a code a few times, until something else happens. Raises ValueError for what cannot be blinked."""
        self._code, self._code_mood = code_pattern(code), self._mood()
        self._wake.set()

    def hide_code(self) -> None:
        """Blink no code any more."""
        self._code = None
        self._wake.set()

    async def run(self) -> None:
        """Play until cancelled, then leave the lamp dark."""
        try:
            while True:
                await self._play(self._due())
        finally:
            self._switch(False)

    def _due(self) -> Pattern:
        if self._warns:
            return WARNING
        if self._code is not None:
            if self._mood() is self._code_mood:
                return self._code
            self._code = None
        return PATTERNS[self._mood()]

    async def _play(self, pattern: Pattern) -> None:
        """Return when another pattern is due, or this one has been played as often as it should."""
        played = 0
        while pattern.times is None or played < pattern.times:
            for beat in pattern.beats:
                self._switch(beat.lit)
                if await self._another_is_due(pattern, beat.seconds):
                    return
            played += 1
        self._code = None

    async def _another_is_due(self, pattern: Pattern, within_s: float) -> bool:
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + within_s
        while (now_s := loop.time()) < ends_s:
            try:
                async with asyncio.timeout_at(min(ends_s, now_s + LOOK_S)):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if self._due() is not pattern:
                return True
        return False

    def _switch(self, on: bool) -> None:
        if self._lamp is None or on is self._lit:
            return
        try:
            self._lamp.set_on(on)
            self._lit = on
        except DriverError as fault:
            # Nobody scans worse without it.
            LOG.error("the lamp shows nothing any more: %s", fault)
            self._lamp = None
