"""How the device is, as page, metrics and board show it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Trouble(StrEnum):
    """What a person should mend; pages have a text for each."""

    HOT = "hot"
    UNDER_VOLTAGE = "under_voltage"
    SLOWED = "slowed"
    DISK_LOW = "disk_low"
    STUCK = "stuck"


class HealthReport(BaseModel):
    """One look at the device. None is what this machine does not tell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    temperature_c: float | None = None
    """Of the processor, or what is hotter."""
    under_voltage: bool | None = None
    under_voltage_before: bool | None = None
    """Since it was switched on."""
    slowed: bool | None = None
    """The processor runs slower than it could, for heat or voltage."""
    memory_mb: float
    """Of the daemon (1 MB = 10⁶ bytes)."""
    free_mb: int | None = None
    """On the scans' disk, beside the reserve; None when the disk cannot be asked."""
    scans_left: float | None = None
    """So many scans as configured still fit."""
    troubles: tuple[Trouble, ...] = ()

    @property
    def sound(self) -> bool:
        """Nothing is to be mended."""
        return not self.troubles
