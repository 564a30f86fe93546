"""When a changed key takes effect: one table, for a reload, the settings page and the documentation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scannerd.config import SECTIONS as TABLES
from scannerd.config import Config


class Applies(StrEnum):
    """What has to be before a changed key acts."""

    NOW = "now"
    """Nothing: [quality] acts between two photos of a running scan, what is planned from the next scan on."""
    IDLE = "idle"
    """No scan runs: the driver is closed and built anew."""
    RESTART = "restart"
    """The daemon, or the process that the section is for, starts again."""


SECTIONS: dict[str, Applies] = {
    "device": Applies.NOW,
    "store": Applies.RESTART,
    "turntable": Applies.IDLE,
    "lift": Applies.IDLE,
    "camera": Applies.IDLE,
    "cameras": Applies.IDLE,
    "button": Applies.IDLE,
    "led": Applies.IDLE,
    "light": Applies.IDLE,
    "emergency_stop": Applies.IDLE,
    "buzzer": Applies.IDLE,
    "scan": Applies.NOW,
    "quality": Applies.NOW,
    "mat": Applies.NOW,
    "intrinsics": Applies.NOW,
    "offload": Applies.RESTART,
    "reconstruction": Applies.NOW,
    "web": Applies.RESTART,
    "mqtt": Applies.RESTART,
}

KEYS: dict[tuple[str, str], Applies] = {
    # A scan looks at it when it meters.
    ("light", "mains_hz"): Applies.NOW,
    # A scan asks for them as it begins.
    ("camera", "jpeg_quality"): Applies.NOW,
    ("camera", "raw"): Applies.NOW,
    # Looked at when there is no room for a scan.
    ("store", "retention"): Applies.NOW,
    ("store", "keep_days"): Applies.NOW,
    # No driver knows it; a scan takes it when it begins.
    ("turntable", "idle_release_s"): Applies.NOW,
    # Looked at once, at the start.
    ("scan", "resume_on_start"): Applies.RESTART,
}
"""Keys that differ from the rest of their section."""


def applies(section: str, key: str) -> Applies:
    """Return when a change of this key takes effect. Raises KeyError for a section that the table lacks."""
    return KEYS.get((section, key), SECTIONS[section])


@dataclass(frozen=True)
class Change:
    """One key that differs between two configurations."""

    section: str
    key: str
    """Empty for the other cameras, which change as a whole."""
    old: Any
    new: Any

    @property
    def name(self) -> str:
        """The key as people write it: `[scan] views`."""
        return f"[{self.section}] {self.key}" if self.key else f"[[{self.section}]]"

    @property
    def applies(self) -> Applies:
        """When it takes effect."""
        return applies(self.section, self.key)


def changes(old: Config, new: Config) -> tuple[Change, ...]:
    """Return every key that differs, in the order of the file."""
    found = []
    for section in TABLES:
        before, after = getattr(old, section), getattr(new, section)
        for key in type(before).model_fields:
            values = getattr(before, key), getattr(after, key)
            if values[0] != values[1]:
                found.append(Change(section, key, *values))
    if old.cameras != new.cameras:
        found.append(Change("cameras", "", old.cameras, new.cameras))
    return tuple(found)


def in_force(old: Config, new: Config) -> Config:
    """Return `new` with the keys that need a restart as they are in `old`."""
    kept: dict[str, dict[str, Any]] = {}
    for change in changes(old, new):
        if change.applies is Applies.RESTART:
            kept.setdefault(change.section, {})[change.key] = change.old
    sections = {name: getattr(new, name).model_copy(update=keys) for name, keys in kept.items()}
    return new.model_copy(update=sections)
