"""Supply voltage and temperature, as the firmware of a Raspberry Pi tells them."""

from collections.abc import Iterator

from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient
from scannerd.process.health import HOT_C
from scannerd.process.vitals import read_temperature_c, read_throttling

SUPPLY, HEAT = ROWS = ("supply voltage", "temperature")

BETTER_SUPPLY = "use a supply of 5 V and 3 A or more (5 A for a Pi 5) and a short cable; motors need their own"


def look(patient: Patient) -> Iterator[Finding]:
    """Two rows."""
    yield _supply(patient)
    yield _heat(patient)


def _supply(patient: Patient) -> Finding:
    flags = read_throttling(patient.machine.sys)
    expected = "never below 4.63 V, never slowed down"
    if flags is None:
        return not_checked(SUPPLY, "no Raspberry Pi's firmware to ask")
    if flags.under_voltage:
        return act(SUPPLY, "below 4.63 V at this moment", expected, BETTER_SUPPLY)
    if flags.slowed:
        return act(SUPPLY, "the processor is slowed down, for voltage or heat", expected, "cool it; " + BETTER_SUPPLY)
    if flags.under_voltage_before:
        return act(SUPPLY, "was below 4.63 V since it was switched on", expected, BETTER_SUPPLY)
    return well(SUPPLY, "good since it was switched on", expected)


def _heat(patient: Patient) -> Finding:
    temperature_c = read_temperature_c(patient.machine.sys)
    expected = f"below {HOT_C:.0f} °C"
    if temperature_c is None:
        return not_checked(HEAT, "this machine does not tell")
    if temperature_c >= HOT_C:
        return act(HEAT, f"{temperature_c:.0f} °C", expected, "give its case air, or a fan")
    return well(HEAT, f"{temperature_c:.0f} °C", expected)
