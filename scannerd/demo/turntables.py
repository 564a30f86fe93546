"""What turns the platter and raises the camera of a simulated scanner, by the names of the command line."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import typer

from drivers.bench.serial_table import Kind, SecondAxis, SerialWiring
from scannerd.config import Config
from scannerd.config_motors import LiftSection, TurntableSection

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


def lift_keys(config: Config, folder: Path) -> dict[str, Any]:
    """Return the key of `[lift]` that differs on the bench: whose port it shares, or one of its own in `folder`.

    One without a controller stays as it is set.
    """
    if config.lift.driver not in KINDS:
        return {}
    shares = config.lift.port == config.turntable.port
    return {"port": str(folder / "dev" / ("scanner-turntable" if shares else "scanner-lift"))}


def serial_lift(config: Config) -> SerialWiring | None:
    """Return the lift's own controller; None: pulses at pins, the turntable's controller, or a person."""
    own = _wiring(config.lift)
    return None if own is None or config.lift.port == config.turntable.port else replace(own, moves="lift")


def serial_turntable(config: Config) -> SerialWiring | None:
    """Return the serial controller that the configuration expects at its port; None: pulses at pins."""
    table = _wiring(config.turntable)
    return None if table is None else replace(table, beside=_beside(config))


def _wiring(motor: TurntableSection | LiftSection) -> SerialWiring | None:
    """Return a motor's controller; None where it has none on a serial line."""
    kind = KINDS.get(motor.driver)
    if kind is None:
        return None
    return SerialWiring(
        kind,
        Path(motor.port),
        motor.axis,
        motor.units_per_turn,
        turns=-1 if motor.invert else 1,
        speed_deg_s=motor.max_speed_deg_s,
        acceleration_deg_s2=motor.acceleration_deg_s2,
    )


def _beside(config: Config) -> SecondAxis | None:
    """The lift, where the turntable's controller moves it, too."""
    lift = config.lift
    if lift.driver not in KINDS or lift.port != config.turntable.port:
        return None
    return SecondAxis(lift.axis, lift.units_per_turn, -1 if lift.invert else 1)
