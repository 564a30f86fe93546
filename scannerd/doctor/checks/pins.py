"""Who moves the pins, whether the daemon's user may, and whether somebody else has taken one."""

from collections.abc import Iterator
from pathlib import Path

from drivers.gpio_lines import GpioChip, HeldLine, chip_at, held_lines
from drivers.pin_factory import pin_factory_here
from scannerd.doctor.account import group_name, owner_and_mode
from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient
from scannerd.settings.rules import pins_used

FACTORY, RIGHTS, HOLDERS = ROWS = ("pin factory", "rights to devices", "our pins")

GROUPS = ("gpio", "video", "dialout", "spi")
"""Pins, camera, serial ports, a ring light. I2C is not used."""
DEVICES = ("gpiochip*", "video*", "media*", "dma_heap/*", "ttyUSB*", "ttyACM*", "spidev*")


def look(patient: Patient) -> Iterator[Finding]:
    """Three rows."""
    yield _factory(patient)
    yield _rights(patient)
    yield _holders(patient)


def _factory(patient: Patient) -> Finding:
    wanted = "lgpio, rpigpio or pigpio"
    if patient.machine.simulated:
        return well(FACTORY, f"{pin_factory_here().name}: the bench's own", wanted)
    found = pin_factory_here()
    because = "; ".join(found.reasons)
    if found.name == "mock":
        return act(FACTORY, "mock: nothing really moves", wanted, "unset GPIOZERO_PIN_FACTORY")
    if found.name is not None and found.name != "native":
        return well(FACTORY, found.name + (f" ({because})" if because else ""), wanted)
    if patient.machine.kind is None and not _chips(patient):
        return not_checked(FACTORY, patient.in_words)
    seen = f"{found.name or 'none'} ({because})"
    return act(FACTORY, seen, wanted, "sudo apt install python3-lgpio; give the user the group gpio")


def _rights(patient: Patient) -> Finding:
    devices = sorted(path for pattern in DEVICES for path in patient.machine.dev.glob(pattern))
    if not devices:
        return not_checked(RIGHTS, f"{patient.machine.dev} has no pins, cameras or serial ports")
    user = patient.account
    barred = [path for path in devices if not user.may_use(path)]
    wanted = f"{user.name} may read and write"
    if not barred:
        return well(RIGHTS, f"{user.name} may use {_named(devices)}", wanted)
    seen = "; ".join(f"{path}: {owner_and_mode(path)}" for path in barred[:4])
    more = f" and {len(barred) - 4} more" if len(barred) > 4 else ""
    groups = sorted({group_name(path.stat().st_gid) for path in barred} - {"root"}) or list(GROUPS)
    todo = f"sudo usermod -aG {','.join(groups)} {user.name}, then restart its service or log in again"
    return act(RIGHTS, seen + more, wanted, f"{todo}; udev rules: sudo scripts/install")


def _holders(patient: Patient) -> Finding:
    if patient.machine.simulated:
        return not_checked(HOLDERS, patient.in_words)
    chips = _chips(patient)
    if not chips:
        return not_checked(HOLDERS, f"{patient.in_words}, and has no GPIO chip that may be asked")
    wanted = {pin: f"[{section}] {key}" for section, key, pin in pins_used(dict(patient.config))}
    chip = next((chip for chip in chips if chip.is_header), chips[0])
    held = held_lines(chip, [pin for pin in wanted if pin < chip.lines])
    expected = "no other program has them"
    if not held:
        return well(HOLDERS, f"{len(wanted)} pins of {chip.label} are free", expected)
    told = ", ".join(_in_words(line, wanted[line.pin]) for line in held)
    if patient.running is not None:
        return well(HOLDERS, f"a daemon runs and {told}", expected)
    return act(HOLDERS, told, expected, "stop that program, or use other pins (sudo fuser -v /dev/gpiochip*)")


def _chips(patient: Patient) -> list[GpioChip]:
    found = []
    for path in sorted(patient.machine.dev.glob("gpiochip*")):
        try:
            found.append(chip_at(path))
        except OSError:
            continue  # the row on rights names it
    return found


def _in_words(line: HeldLine, setting: str) -> str:
    return f"{setting} = {line.pin} is held by {line.by}"


def _named(devices: list[Path]) -> str:
    names = ", ".join(str(path) for path in devices[:3])
    return names if len(devices) <= 3 else f"{names} and {len(devices) - 3} more"
