"""Front doors by their names, loaded late: a device pays only for those that it opens."""

import contextlib
import importlib
from collections.abc import Iterable

from scannerd.control.scanner import Door, Scanner

_DOORS = {
    "rest": ("scannerd.control.rest.door", "RestDoor"),
    "mqtt": ("scannerd.control.mqtt.door", "MqttDoor"),
}


class DoorMissing(RuntimeError):
    """A door is configured that is not installed. The message says what to install."""


def load_doors(names: Iterable[str]) -> None:
    """Load what these doors need, for a thread that has nothing else to do; `network_door` says what is missing."""
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(_DOORS[name][0])


def network_door(name: str, scanner: Scanner) -> Door:
    """Return a door that is not open yet. Raises DoorMissing, KeyError for an unknown name."""
    module, kind = _DOORS[name]
    try:
        door: Door = getattr(importlib.import_module(module), kind)(scanner)
    except ModuleNotFoundError as error:
        raise DoorMissing(f"[{name}] enabled: {error.name} is missing; pip install 'scannerd[edge]'") from error
    return door
