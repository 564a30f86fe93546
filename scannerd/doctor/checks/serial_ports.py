"""Serial ports that look like turntables."""

from collections.abc import Iterator
from pathlib import Path

from scannerd.doctor.finding import Finding, act, well
from scannerd.doctor.patient import Patient

ROWS = ("serial turntable",)

LINK = "scanner-turntable"
"""Made by the project's udev rule for boards that run G-code."""
PORTS = ("ttyUSB*", "ttyACM*")


def look(patient: Patient) -> Iterator[Finding]:
    """One row."""
    (row,) = ROWS
    dev, driver = patient.machine.dev, patient.config.turntable.driver
    ports = sorted(path for pattern in PORTS for path in dev.glob(pattern))
    link = dev / LINK
    seen = _seen(link, ports)
    if driver == "stepper_gpio":
        yield well(row, seen, "none needed: the motor is on GPIO pins")
        return
    named = Path(str(getattr(patient.config.turntable, "port", None) or link))
    expected = f'{named}, for [turntable] driver = "{driver}"'
    if not named.exists():
        yield act(row, seen, expected, "plug the board in; udev rules: sudo scripts/install (docs/install.md)")
    elif not patient.account.may_use(named):
        todo = f"sudo usermod -aG dialout {patient.account.name}, then restart its service or log in again"
        yield act(row, f"{named}: {patient.account.name} may not open it", expected, todo)
    else:
        yield well(row, seen, expected)


def _seen(link: Path, ports: list[Path]) -> str:
    told = [f"{link} is {link.resolve().name}"] if link.exists() else []
    told += [str(port) for port in ports]
    return ", ".join(told) or "no port"
