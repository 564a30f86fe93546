"""The light on the object, as `config.toml` has it."""

from typing import Literal

from drivers.options import LightGpioOptions
from drivers.options_light import Ws2812Options
from drivers.protocols import Colour
from scannerd.config_section import Section, key

COLOUR = r"^#[0-9a-fA-F]{6}$"
WHITE = "#ffffff"


def shares_of(colour: str) -> Colour:
    """Return `#rrggbb` as shares of all that red, green and blue can give; linear in light, not sRGB."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


class LightSection(Section):
    """A dimmable light on the object (docs/button.md)."""

    driver: Literal["gpio", "ws2812", "none"] = key(
        "none", "gpio for a light behind a transistor, ws2812 for a ring of such diodes on SPI"
    )
    pin: int = key(18, "of gpio, BCM number; its duty cycle is the brightness", ge=0, le=27)
    device: str = key("/dev/spidev0.0", "of ws2812: the SPI bus; this one's data line is GPIO10", min_length=1)
    count: int = key(24, "of ws2812: diodes in the ring", ge=1, le=400)
    level: float = key(1.0, "brightness at the start, 1 is all there is", ge=0, le=1)
    colour: str = key(WHITE, "of ws2812 at the start: red, green and blue, linear in light", pattern=COLOUR)
    lit: Literal["needed", "always"] = key(
        "needed", "needed: during scans, and while somebody looks at the picture; always: at all times"
    )
    signals: bool = key(True, "of ws2812: between scans it shows in colours what the lamp in the button shows")
    frequency_hz: int = key(
        500,
        "of the pulses, a ring's own are 400 to 2000; more than the exposure's 1/s, or photos flicker",
        ge=50,
        le=10_000,
    )
    mains_hz: Literal[0, 50, 60] = key(
        50, "lamps flicker with it; metered exposures become whole periods of their light, 0: as metered"
    )

    def light_options(self) -> LightGpioOptions | Ws2812Options:
        """Return them as the driver takes them."""
        if self.driver == "ws2812":
            return Ws2812Options(self.device, self.count, self.level, shares_of(self.colour))
        return LightGpioOptions(pin=self.pin, level=self.level, frequency_hz=self.frequency_hz)
