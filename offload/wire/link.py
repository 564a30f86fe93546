"""What sync tells of the way to the service, all scans together: for whoever wonders why nothing moves."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from offload.wire.base import ScanId, Wire


class Hitch(StrEnum):
    """Why nothing moves, in a word for which every language has its own."""

    QUIET_HOURS = "quiet_hours"
    METERED = "metered"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """It answered: later."""
    CERTIFICATE = "certificate"
    """Somebody else may have answered, or the service's certificate is wrong."""
    CLOCK = "clock"
    """The certificate is not valid at what this device takes for the present."""
    KEY = "key"
    DEVICE = "device"
    """The device itself cannot keep or read a file."""

    @property
    def is_wanted(self) -> bool:
        """Somebody has set it so: nothing is wrong."""
        return self in (Hitch.QUIET_HOURS, Hitch.METERED)


class Hindrance(Wire):
    """Why sync waits."""

    hitch: Hitch
    says: str
    """For people, in English."""
    since: datetime
    until: datetime | None = None
    """Known of quiet hours only."""


class LinkState(Wire):
    """`.sync/link.json` in the folder of scans."""

    carried: int = 0
    """Scans whose files are on their way now."""
    waiting: int = 0
    """Scans that wait for their turn."""
    in_work: int = 0
    """Scans of which the service makes models."""
    bytes_left: int = 0
    """Of the scans on their way, as far as their files exist."""
    bytes_sent: int = 0
    """Since sync began, repeats counted."""
    rate_bytes_s: float = Field(default=0.0, ge=0)
    """Sent, of all connections together, over the last seconds."""
    remaining_s: float | None = None
    """Until those bytes are there; None while nothing moves."""
    waits: Hindrance | None = None
    last_error: str | None = None
    """The latest trouble, also one that is over."""
    last_error_at: datetime | None = None
    clock_off_s: float | None = None
    """How far the device's clock is ahead of the service's; None before its first answer."""
    metered_unknown: str | None = None
    """Why it cannot be told whether the connection is metered, where that matters."""
    first: ScanId | None = None
    """The scan that a person wants sent first."""
    updated_at: datetime
