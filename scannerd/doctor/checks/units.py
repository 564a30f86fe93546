"""Whether systemd starts the scanner, keeps it alive, and carries its scans."""

from collections.abc import Iterator

from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import SERVICE, Patient
from scannerd.doctor.unit import NoSystemd, Unit, unit

DAEMON, WATCHDOG, SYNC = ROWS = ("scannerd.service", "watchdog", "scannerd-sync.service")

ENABLED = {"enabled", "enabled-runtime", "linked"}


def look(patient: Patient) -> Iterator[Finding]:
    """Three rows."""
    try:
        service, sync = unit(SERVICE), unit(SYNC)
    except NoSystemd as reason:
        yield from (not_checked(row, str(reason)) for row in ROWS)
        return
    if not service.is_installed:
        yield from (not_checked(row, "not installed here; sudo scripts/install") for row in ROWS)
        return
    yield _enabled_and_active(DAEMON, service)
    yield _watchdog(service)
    if patient.config.offload.url is None:
        yield not_checked(SYNC, "[offload] url is empty: nothing is carried")
    else:
        yield _enabled_and_active(SYNC, sync)


def _enabled_and_active(row: str, asked: Unit) -> Finding:
    expected = "enabled and active"
    state, enabled = asked.facts.get("ActiveState", "unknown"), asked.facts.get("UnitFileState", "unknown")
    restarts = int(asked.facts.get("NRestarts") or 0)
    seen = f"{enabled}, {state} ({asked.facts.get('SubState', '')})"
    if restarts:
        seen += f", started anew {restarts} times"
    if enabled not in ENABLED:
        return act(row, seen, expected, "sudo systemctl enable --now scannerd.target")
    if state != "active":
        return act(row, seen, expected, f"journalctl -u {asked.name} -n 50; sudo systemctl restart {asked.name}")
    return well(row, seen, expected)


def _watchdog(service: Unit) -> Finding:
    limit = service.facts.get("WatchdogUSec", "0")
    if limit in ("", "0", "infinity"):
        return act(
            WATCHDOG, "off", "a daemon that hangs is started anew", "sudo scripts/install writes the unit anew"
        )
    return well(WATCHDOG, f"after {limit} of silence", "a daemon that hangs is started anew")
