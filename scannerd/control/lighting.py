"""When the light on the object shines: for scans, for who looks at the picture; a ring shows signals in between."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from drivers.protocols import WHITE, Colour, DriverError, Light
from scannerd.board.state import Mood
from scannerd.config_light import LightSection, shares_of
from scannerd.event_bus import Numbered
from scannerd.events import LightChanged, PhaseChanged, ScanEnded, ScanStarted
from scannerd.scan.phases import Phase

LOG = logging.getLogger(__name__)

LOOKED_AT_S = 15.0
"""So long it shines on after somebody looked, or changed it."""
LOOK_S = 1.0
SIGNAL_LEVEL = 0.12
"""Seen across the room, and dazzling nobody."""
SIGNALS: Mapping[Mood, Colour] = {
    Mood.PAUSED: (0.0, 0.2, 1.0),
    Mood.ASKING: (1.0, 0.45, 0.0),
    Mood.UPLOADING: (0.0, 0.8, 0.8),
    Mood.DONE: (0.0, 1.0, 0.1),
    Mood.FAULT: (1.0, 0.0, 0.0),
}
"""Besides the rhythm, which alone tells all; idle is dark, and during a scan it lights the object."""

Shown = tuple[float, Colour]
DARK: Shown = (0.0, WHITE)


class Lighting:
    """Follows what happens. Call everything in the event loop's thread."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """There is no light before `use`."""
        self._now_s = now_s
        self._light: Light | None = None
        self._section = LightSection()
        self._level, self._colour = 0.0, WHITE
        self._scans = False
        self._phase = Phase.IDLE
        self._looked_until_s = 0.0
        self._signal: Colour | None = None
        self._shown: Shown | None = None

    def use(self, light: Light | None, section: LightSection) -> None:
        """Command this light from now on; None before one is closed."""
        self._light, self._section, self._shown = light, section, None
        self._level, self._colour = section.level, shares_of(section.colour)
        self._looked_until_s = 0.0
        self._apply()

    def hold(self, light: Light | None) -> None:
        """Command this light, which is the same one or as it was; None while devices are exchanged."""
        self._light, self._shown = light, None
        self._apply()

    def look_at_picture(self) -> None:
        """Somebody is about to look at what the camera sees: be light for it."""
        self._looked_until_s = self._now_s() + LOOKED_AT_S
        self._apply()

    def signal(self, colour: Colour | None) -> None:
        """Show this colour where the object needs no light; None: nothing."""
        self._signal = colour
        self._apply()

    def follow(self, numbered: Numbered) -> None:
        """Something has happened."""
        match numbered.event:
            case ScanStarted():
                self._scans = True
            case ScanEnded():
                self._scans, self._looked_until_s = False, 0.0
            case PhaseChanged(phase=phase):
                self._phase = phase
            case LightChanged(level=float() as level, colour=colour):
                self._level = level
                self._colour = self._colour if colour is None else shares_of(colour)
                if not self._scans:
                    self._looked_until_s = self._now_s() + LOOKED_AT_S
            case _:
                return
        self._apply()

    async def run(self) -> None:
        """Go dark when nobody looks any more, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._apply()

    @property
    def has_signals(self) -> bool:
        """Whether it shows anything in colours."""
        return self._light is not None and self._light.has_colours and self._section.signals

    def _is_needed(self) -> bool:
        if self._section.lit == "always" or self._phase is Phase.BACKGROUND or self._now_s() < self._looked_until_s:
            return True
        # While it waits for a person, a ring says so; a light of one colour stays as it was.
        return self._scans and not (self._phase is Phase.PAUSED and self.has_signals)

    def _wanted(self) -> Shown:
        if self._is_needed():
            return self._level, self._colour
        if self._signal is not None and self.has_signals:
            return SIGNAL_LEVEL, self._signal
        return DARK

    def _apply(self) -> None:
        wanted = self._wanted()
        if self._light is None or wanted == self._shown:
            return
        try:
            self._light.set_level(*wanted)
            self._shown = wanted
        except DriverError as fault:
            # A scan asks for it by itself, and says what is wrong.
            LOG.error("the light stays as it is: %s", fault)
            self._light = None


class SignalLamp:
    """`Lamp` for the lamp's rhythms: on is the mood's colour."""

    def __init__(self, lighting: Lighting, mood: Callable[[], Mood]) -> None:
        self._lighting = lighting
        self._mood = mood

    def set_on(self, on: bool) -> None:
        """Show the colour, or nothing."""
        self._lighting.signal(SIGNALS.get(self._mood()) if on else None)

    def close(self) -> None:
        """Show nothing any more."""
        self._lighting.signal(None)
