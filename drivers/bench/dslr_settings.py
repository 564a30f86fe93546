"""The settings of a simulated DSLR, as words that its maker chose."""

import random
from typing import Any

import gphoto2

LONG = ("30", "25", "20", "15", "13", "10.3", "8", "6.3", "5", "4", "3.2", "2.5", "2", "1.6", "1.3", "1", "0.8",
        "0.6", "0.5", "0.4", "0.3")  # fmt: skip
PARTS = (4, 5, 6, 8, 10, 13, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1000,
         1250, 1600, 2000, 2500, 3200, 4000)  # fmt: skip
SPEEDS = (*LONG, *(f"1/{part}" for part in PARTS))
"""Of the shutter, in s."""
CANON: dict[str, tuple[str, tuple[str, ...]]] = {
    "manufacturer": ("Bench Inc.", ()),
    "cameramodel": ("Bench EOS 1", ()),
    "autoexposuremodedial": ("Manual", ()),
    "iso": ("Auto", ("Auto", "100", "200", "400", "800", "1600", "3200", "6400")),
    "shutterspeed": ("1/125", ("bulb", *SPEEDS)),
    "aperture": ("5.6", ("4", "5.6", "8", "11", "16")),
    "whitebalance": ("Auto", ("Auto", "AWB White", "Daylight", "Shadow", "Tungsten", "Fluorescent")),
    "imageformat": ("RAW", ("Large Fine JPEG", "Large Normal JPEG", "RAW + Large Fine JPEG", "RAW")),
    "capturetarget": ("Memory card", ("Internal RAM", "Memory card")),
    "focusmode": ("One Shot", ("One Shot", "AI Servo", "Manual")),
    "autopoweroff": ("60", ("60", "120", "0")),
    "batterylevel": ("", ()),
}
"""What it is at, and what it can be set to; nothing: only a hand can. As a photographer left it."""
PRESET_GAINS = (2.1, 1.9)
WANDERING = 0.15
"""How far an automatic white balance goes from photo to photo."""


class DslrSettings:
    """What is set."""

    def __init__(self) -> None:
        """As a photographer left it."""
        self.words = {name: now for name, (now, _) in CANON.items()}
        self.choices = {name: choices for name, (_, choices) in CANON.items()}
        """Take one away before it is opened: another camera has fewer."""
        self.battery_percent = 80.0
        self.percent_a_photo = 0.0
        self._chance = random.Random(5)

    def value(self, name: str) -> str:
        """Return what a setting is at."""
        return f"{self.battery_percent:.0f}%" if name == "batterylevel" else self.words[name]

    def set(self, name: str, value: str) -> None:
        """Set it, as far as that can be: what a dial decides stays."""
        if value in self.choices[name]:
            self.words[name] = value

    def widget(self, name: str) -> Any:
        """Return what libgphoto2 shows of it. Raises its error where there is none."""
        if name not in self.words:
            raise gphoto2.GPhoto2Error(gphoto2.GP_ERROR_BAD_PARAMETERS)
        return Widget(self.value(name), self.choices[name])

    @property
    def exposure_us(self) -> float:
        """Of the shutter."""
        over, _, under = self.words["shutterspeed"].partition("/")
        return float(over) / float(under or 1) * 1e6

    @property
    def gain(self) -> float:
        """Of the ISO; an automatic chooses what it likes."""
        iso = self.words["iso"]
        return self._chance.uniform(1, 4) if iso == "Auto" else int(iso) / 100

    @property
    def makes_raw(self) -> bool:
        """Whether there is a raw file beside each JPEG."""
        return self.words["imageformat"].startswith("RAW")

    def colour_gains(self) -> tuple[float, float]:
        """Return the white balance of the next photo."""
        red, blue = PRESET_GAINS
        if "A" in self.words["whitebalance"][:3] and self.words["whitebalance"] != "Daylight":
            red *= 1 + self._chance.uniform(-WANDERING, WANDERING)
        return red, blue


class Widget:
    """One setting on libgphoto2's tree, as it was when it was asked for."""

    def __init__(self, now: str, choices: tuple[str, ...]) -> None:
        self._now, self._choices = now, choices

    def get_type(self) -> int:
        """A list of choices, or text."""
        return int(gphoto2.GP_WIDGET_RADIO if self._choices else gphoto2.GP_WIDGET_TEXT)

    def get_readonly(self) -> bool:
        """Whether only a hand can change it."""
        return not self._choices

    def get_value(self) -> str:
        """Return what it is at."""
        return self._now

    def set_value(self, value: str) -> None:
        """Change this copy."""
        self._now = value

    def get_choices(self) -> tuple[str, ...]:
        """Return what it can be set to."""
        return self._choices
