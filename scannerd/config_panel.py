"""What a person reaches for at the device, besides the button, as `config.toml` has it."""

from typing import Literal

from drivers.options import EmergencyStopGpioOptions
from scannerd.config_section import Section, key


class EmergencyStopSection(Section):
    """A contact of the emergency stop: motors are switched off at once (docs/button.md)."""

    driver: Literal["gpio", "none"] = key("none", "gpio where one is wired")
    pin: int = key(22, "BCM number; the contact connects it to ground", ge=0, le=27)
    level: Literal["high", "low"] = key(
        "high", "of the pin when pushed; high is a normally closed contact, so that a broken wire counts, too"
    )

    def stop_options(self) -> EmergencyStopGpioOptions:
        """Return them as the driver takes them."""
        return EmergencyStopGpioOptions(pin=self.pin, pushed_is_low=self.level == "low")
