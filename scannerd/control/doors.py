"""Front doors by their names, loaded late: a device pays only for those that it opens."""

import contextlib
import importlib
import logging
from collections.abc import Iterable

from scannerd.control.scanner import Door, Scanner
from scannerd.events import Warned

LOG = logging.getLogger(__name__)

_DOORS = {
    "rest": ("scannerd.control.rest.door", "RestDoor"),
    "mqtt": ("scannerd.control.mqtt.door", "MqttDoor"),
}


def load_doors(names: Iterable[str]) -> None:
    """Load what these doors need, for a thread that has nothing else to do; `network_doors` says what is missing."""
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(_DOORS[name][0])


def network_doors(names: Iterable[str], scanner: Scanner) -> list[Door]:
    """Return these doors, not open yet; of one that is not installed everybody is told what to install.

    Raises KeyError for an unknown name.
    """
    doors = []
    for name in names:
        module, kind = _DOORS[name]
        try:
            doors.append(getattr(importlib.import_module(module), kind)(scanner))
        except ModuleNotFoundError as error:
            missing = f"[{name}] enabled: {error.name} is missing; pip install 'scannerd[edge]'"
            LOG.error("%s", missing)
            scanner.events.publish(Warned(missing))
    return doors
