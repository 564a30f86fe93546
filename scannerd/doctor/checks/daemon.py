"""Whether the daemon runs, and whether it is well."""

from collections.abc import Iterator

from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient

ROWS = ("daemon",)


def look(patient: Patient) -> Iterator[Finding]:
    """A daemon that is not there is no illness: whoever sets a scanner up has stopped it."""
    running = patient.running
    if running is None:
        yield not_checked("daemon", "none runs: camera and pins are looked at from here")
        return
    process = f"process {running.process}" if running.process is not None else "it runs"
    if running.state is None:
        yield act(
            "daemon",
            f"{process}, and it cannot be asked: {running.silent_because}",
            "an answer on its socket",
            "run this as a user of the group scannerd, or with sudo; else stop the daemon, then look again",
        )
    elif running.state["mood"] == "fault":
        fault = str(running.state["fault"] or "a fault")
        yield act("daemon", f"{process}, {fault}", "no fault", "do what it says, then look again")
    else:
        yield well("daemon", f"{process}, version {running.state['version']}: {running.state['mood']}", "no fault")
