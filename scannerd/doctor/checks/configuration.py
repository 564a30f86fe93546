"""Whether config.toml can be used."""

from collections.abc import Iterator

from scannerd.doctor.finding import Finding, act, well
from scannerd.doctor.patient import Patient

ROWS = ("settings",)


def look(patient: Patient) -> Iterator[Finding]:
    """One row for each problem: they are all to be mended."""
    if patient.file is None:
        yield well("settings", "no file: the defaults hold", "a sound file, or none")
    elif not patient.problems:
        yield well("settings", f"{patient.file}: no problems", "a sound file, or none")
    for problem in patient.problems:
        yield act("settings", problem, f"{patient.file} without problems", "correct this line, then check-config")
