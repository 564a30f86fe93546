"""What a person reaches for at the device, besides the button, as `config.toml` has it."""

from typing import Literal

from drivers.options import EmergencyStopGpioOptions, LampGpioOptions
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


class BuzzerSection(Section):
    """A buzzer that beeps when a model is there, when a person is asked, and at a fault (docs/button.md)."""

    driver: Literal["gpio", "none"] = key("none", "gpio where one is wired; it has to sound by itself")
    pin: int = key(12, "BCM number; high sounds, through a transistor above 10 mA", ge=0, le=27)

    def buzzer_options(self) -> LampGpioOptions:
        """Return them as the driver takes them."""
        return LampGpioOptions(pin=self.pin, name="buzzer", section="buzzer")
