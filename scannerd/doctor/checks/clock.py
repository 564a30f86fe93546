"""The clock: scans are named after it, and certificates are judged by it."""

import ctypes
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import scannerd
from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient

SYNCHRONISED, SANE = ROWS = ("clock synchronised", "clock")

_TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""
_TIMEX_BYTES = 512
"""More than struct timex has anywhere; zeros ask and change nothing."""
LATEST_YEAR = 2100


def look(patient: Patient) -> Iterator[Finding]:
    """Two rows."""
    yield _synchronised()
    yield _sane(datetime.now(UTC))


def _synchronised() -> Finding:
    expected = "kept right over the network, or by a clock chip"
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        return not_checked(SYNCHRONISED, f"the kernel does not say: {os.strerror(ctypes.get_errno())}")
    if state == _TIME_ERROR:
        return act(SYNCHRONISED, "nothing keeps the clock right", expected, "sudo timedatectl set-ntp true")
    return well(SYNCHRONISED, "yes", expected)


def _sane(now: datetime) -> Finding:
    installed = datetime.fromtimestamp(Path(scannerd.__file__).stat().st_mtime, UTC)
    expected = f"after {installed:%Y-%m-%d}, when this program was written"
    if now < installed or now.year >= LATEST_YEAR:
        return act(
            SANE, f"{now:%Y-%m-%d %H:%M} UTC", expected, "sudo timedatectl set-time, or connect it to a network"
        )
    return well(SANE, f"{now:%Y-%m-%d %H:%M} UTC", expected)
