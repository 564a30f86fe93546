"""What turns the platter of a simulated scanner, by the names of the command line."""

from pathlib import Path
from typing import Any, Literal

import typer

from drivers.bench.serial_table import Kind, SerialWiring
from scannerd.config import Config

Turntable = Literal["gpio", "grbl", "marlin", "table"]
DRIVERS: dict[Turntable, str] = {"gpio": "stepper_gpio", "grbl": "grbl", "marlin": "marlin", "table": "serial_table"}
KINDS: dict[str, Kind] = {"grbl": "grbl", "marlin": "marlin", "serial_table": "table"}
"""`[turntable] driver` → the controller that the bench puts at the far end of its port."""
TABLES_WORDS = {
    "move_command": "MA {angle_deg:.3f} => OK",
    "query_command": r"POS? => POS (?P<angle_deg>-?\d+\.\d+)",
    "stop_command": "STOP => OK",
    "on_command": "ON => OK",
    "off_command": "OFF => OK",
    "error_reply": "ERR.*",
}
"""Of the bench's own simple table."""


def turntable_named(name: str | None) -> Turntable | None:
    """Return what was named on the command line. Raises BadParameter."""
    if name is None:
        return None
    found = next((kind for kind in DRIVERS if kind == name), None)
    if found is None:
        raise typer.BadParameter(f"--turntable {name}: use {', '.join(DRIVERS)}")
    return found


def turntable_keys(kind: Turntable | None, driver: str, folder: Path) -> dict[str, Any]:
    """Return the keys of `[turntable]` that differ on the bench, for what was asked for or the configured driver.

    A simulated controller has its port in `folder`: /dev belongs to real ones.
    """
    driver = driver if kind is None else DRIVERS[kind]
    if driver not in KINDS:
        return {"driver": driver}
    words = TABLES_WORDS if kind == "table" else {}
    return {"driver": driver, "port": str(folder / "dev" / "scanner-turntable"), **words}


def serial_turntable(config: Config) -> SerialWiring | None:
    """Return the serial controller that the configuration expects at its port; None: pulses at pins."""
    table = config.turntable
    kind = KINDS.get(table.driver)
    if kind is None:
        return None
    return SerialWiring(
        kind,
        Path(table.port),
        table.axis,
        table.units_per_turn,
        turns=-1 if table.invert else 1,
        speed_deg_s=table.max_speed_deg_s,
        acceleration_deg_s2=table.acceleration_deg_s2,
    )
