"""The camera's automatics as they run on the host: exposure, white balance and focus, from what the sensor sees.

Modelled on what the Raspberry Pi's algorithms do to one who waits for them: exposure and colours go a fixed share of
the way with every frame and never quite stop trembling; the lens sweeps in coarse steps, then in fine ones about the
best of them, staying some frames at each.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from drivers.bench.sensor_settings import PixelWindow, SensorSettings

EXPOSURE_TARGET = 0.16
"""Of saturation: where the mean of green is put."""
SHARE_OF_THE_WAY = 0.3
TREMBLING = 0.003
LONGEST_AUTO_US = 66_666.0
"""Beyond it the gain rises."""
COLOUR_CAST_CORRECTED = 0.5
"""Real ones believe in lamps, so they take a thing's own colour only partly for the light's."""
NEUTRAL_GAINS = (2.1, 1.9)
COARSE_DIOPTRES, FINE_DIOPTRES = 1.0, 0.25
SWEEP_DIOPTRES = (0.0, 10.0)
FRAMES_A_STEP = 4
LEAST_CONTRAST = 1.15
"""The sharpest place has to be so much sharper than the dullest, or nothing was found."""


class AfState(IntEnum):
    """libcamera's."""

    IDLE = 0
    SCANNING = 1
    FOCUSED = 2
    FAILED = 3


@dataclass(frozen=True)
class Light:
    """What the whole picture measures at 20 000 µs and gain 1: means of the raw channels, 1 saturates."""

    red: float
    green: float
    blue: float


class Eye:
    """What the automatics ask of the picture; both are computed only when they do."""

    def __init__(
        self, light: Callable[[], Light], sharpness: Callable[[float, tuple[PixelWindow, ...]], float]
    ) -> None:
        """`sharpness` is told where the lens stands, in dioptres, and on which windows to look."""
        self.light = light
        self.sharpness = sharpness


class Automatics:
    """Fills in what the settings leave to it."""

    def __init__(self) -> None:
        """At the values that libcamera starts with."""
        self._exposure_us, self._gain = 20_000.0, 1.0
        self._colour_gains = NEUTRAL_GAINS
        self._frames = 0
        self._focus_dioptres: float | None = None
        self._sweep = FocusSweep()

    @property
    def af_state(self) -> AfState:
        """How the search for focus goes."""
        return self._sweep.state

    def fill(self, settings: SensorSettings) -> SensorSettings:
        """Return the settings with everything automatic decided."""
        trembling = 1 + TREMBLING * math.sin(0.7 * self._frames)
        if settings.auto_exposure:
            settings = replace(settings, exposure_us=self._exposure_us * trembling)
        if settings.auto_gain:
            settings = replace(settings, analogue_gain=self._gain * trembling)
        if settings.auto_white_balance:
            red, blue = self._colour_gains
            settings = replace(settings, colour_gains=(red * trembling, blue / trembling))
        if settings.af_mode and self._focus_dioptres is not None:
            settings = replace(settings, focus_dioptres=self._focus_dioptres)
        return settings

    def trigger_focus(self) -> None:
        """Begin to search."""
        self._sweep = FocusSweep()
        self._sweep.begin()
        self._focus_dioptres = self._sweep.place_dioptres

    def observe(self, taken: SensorSettings, eye: Eye) -> None:
        """Learn from a frame that was taken with these settings."""
        self._frames += 1
        if taken.auto_exposure or taken.auto_gain or taken.auto_white_balance:
            self._follow(taken, eye.light())
        if taken.af_mode and self._sweep.state is AfState.SCANNING:
            self._sweep.observe(lambda place: eye.sharpness(place, taken.af_windows))
            self._focus_dioptres = self._sweep.place_dioptres

    def _follow(self, taken: SensorSettings, light: Light) -> None:
        if taken.auto_exposure or taken.auto_gain:
            amount = taken.exposure_us * taken.analogue_gain
            wanted = EXPOSURE_TARGET / max(light.green, 1e-6) * 20_000.0
            amount *= (wanted / amount) ** SHARE_OF_THE_WAY
            self._exposure_us = min(amount, LONGEST_AUTO_US)
            self._gain = max(1.0, amount / self._exposure_us)
        if taken.auto_white_balance:
            grey = (light.green / max(light.red, 1e-6), light.green / max(light.blue, 1e-6))
            self._colour_gains = tuple(
                gain * (neutral * (full / neutral) ** COLOUR_CAST_CORRECTED / gain) ** SHARE_OF_THE_WAY
                for gain, neutral, full in zip(self._colour_gains, NEUTRAL_GAINS, grey, strict=True)
            )


class FocusSweep:
    """One search: coarse steps, then fine ones about the best."""

    def __init__(self) -> None:
        """Not begun."""
        self.state = AfState.IDLE
        self.place_dioptres = 0.0
        self._places: list[float] = []
        self._seen: dict[float, float] = {}
        self._frames_here = 0
        self._fine = False

    def begin(self) -> None:
        """Go to the first place."""
        self.state = AfState.SCANNING
        self._places = list(np.arange(SWEEP_DIOPTRES[0], SWEEP_DIOPTRES[1] + COARSE_DIOPTRES, COARSE_DIOPTRES))
        self._go_on()

    def observe(self, sharpness: Callable[[float], float]) -> None:
        """Stay, look, or go on, once for every frame."""
        self._frames_here += 1
        if self._frames_here < FRAMES_A_STEP:
            return
        self._seen[self.place_dioptres] = sharpness(self.place_dioptres)
        if self._places:
            self._go_on()
        elif not self._fine:
            self._refine()
        else:
            self._decide()

    def _go_on(self) -> None:
        self.place_dioptres = float(self._places.pop(0))
        self._frames_here = 0

    def _refine(self) -> None:
        self._fine = True
        best = self._best()
        steps = np.arange(-COARSE_DIOPTRES + FINE_DIOPTRES, COARSE_DIOPTRES, FINE_DIOPTRES)
        self._places = [best + step for step in steps if step and best + step >= SWEEP_DIOPTRES[0]]
        self._go_on()

    def _decide(self) -> None:
        self.place_dioptres = self._best()
        found = max(self._seen.values()) >= LEAST_CONTRAST * min(self._seen.values())
        self.state = AfState.FOCUSED if found else AfState.FAILED

    def _best(self) -> float:
        return max(self._seen, key=lambda place: self._seen[place])
