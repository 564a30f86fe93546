"""Exposures that flickering lamps cannot band: whole periods of the light, so that each row gathers the same. Pure.

Lamps on the mains are brightest twice in each of its periods. A rolling shutter opens row after row: unless the
exposure is a multiple of the light's period, rows get more or less light by turns, and each photo other ones. The
same holds for a light that is dimmed by pulses. Where no multiple of both is near enough, the mains count, since many
pulses fit into an exposure.
"""

import math
from dataclasses import dataclass, replace

from drivers.protocols import CameraSettings
from scannerd.config_light import WHITE, LightSection, shares_of

ALMOST = 0.98
"""An exposure that lacks so little of another period counts as if it had it: sensors round down to whole rows."""
OFF_BEAT = 0.05
"""Of a pulse's period, by which an exposure may miss a multiple of it."""


@dataclass(frozen=True)
class Flicker:
    """The periods in which the light repeats; None where it does not."""

    mains_us: float | None = None
    """Half a period of the mains."""
    pulses_us: float | None = None

    @classmethod
    def of(cls, light: LightSection, level: float | None, colour: str = WHITE) -> "Flicker":
        """Return it for the lamps of the room and a light of the scanner at a level; at 0 and 1 it does not pulse.

        In a colour each of red, green and blue is such a light.
        """
        shares = shares_of(colour) if light.driver == "ws2812" else (1.0,)
        pulses = light.driver != "none" and level is not None and any(0 < level * share < 1 for share in shares)
        return cls(
            mains_us=1e6 / (2 * light.mains_hz) if light.mains_hz else None,
            pulses_us=1e6 / light.frequency_hz if pulses else None,
        )

    def steady(self, settings: CameraSettings) -> CameraSettings:
        """Return the same light in whole periods: a shorter exposure, at most by half, with more gain.

        An exposure that is shorter than every period stays.
        """
        exposure_us = self._whole_us(settings.exposure_us)
        gain = settings.analogue_gain * settings.exposure_us / exposure_us
        return replace(settings, exposure_us=exposure_us, analogue_gain=max(gain, 1.0))

    def _whole_us(self, exposure_us: float) -> float:
        for period_us in (self.mains_us, self.pulses_us):
            if period_us is None:
                continue
            most = math.floor(exposure_us / (ALMOST * period_us))
            if most:
                counts = range(most, most // 2, -1)
                return period_us * next((count for count in counts if self._on_beat(count * period_us)), most)
        return exposure_us

    def _on_beat(self, exposure_us: float) -> bool:
        if self.pulses_us is None:
            return True
        beats = exposure_us / self.pulses_us
        return abs(beats - round(beats)) <= OFF_BEAT
