"""Whether the MQTT broker answers and lets this scanner in."""

import asyncio
from collections.abc import Iterator

from scannerd.control.mqtt.connection import BrokerUnusable, Timing, greet
from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient

ROWS = ("MQTT broker",)


def look(patient: Patient) -> Iterator[Finding]:
    """One row. The broker sees a client of another name, so that a daemon that runs stays connected."""
    (row,) = ROWS
    settings = patient.config.mqtt
    if not settings.enabled:
        yield not_checked(row, "[mqtt] enabled = false")
        return
    where = f"{settings.host}:{settings.port}"
    who = f"user {settings.username}" if settings.username else "nobody's name"
    expected = f"{where} lets {who} in"
    try:
        asyncio.run(greet(settings, f"{patient.config.device.slug}-doctor", Timing()))
    except BrokerUnusable as reason:
        seen, _, todo = str(reason).partition("; ")
        if todo in ("", "it is tried again"):
            todo = "systemctl status mosquitto there; check [mqtt] host and port"
        yield act(row, seen, expected, todo)
        return
    yield well(row, f"{where} lets {who} in", expected)
