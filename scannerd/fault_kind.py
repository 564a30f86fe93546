"""What went wrong with the scanner, in one word: page, MQTT, journal and lamp say the same."""

from enum import StrEnum


class FaultKind(StrEnum):
    """Pages have a title and an advice for each; the message beside it names thing, observed and expected."""

    CAMERA_SILENT = "camera_silent"
    CAMERA_UNUSABLE = "camera_unusable"
    FRAME_LATE = "frame_late"
    """A photo came, but much later than exposure and readout take."""
    TURNTABLE_JAMMED = "turntable_jammed"
    STEPS_LOST = "steps_lost"
    """The platter stands elsewhere than commanded: corrected, and told."""
    POSITION_LOST = "position_lost"
    MAT_LOST = "mat_lost"
    """The mat should say where the platter stands, and cannot be seen."""
    LINK_BROKEN = "link_broken"
    EMERGENCY_STOP = "emergency_stop"
    LOW_VOLTAGE = "low_voltage"
    DISK_FULL = "disk_full"
    DISK_FAULT = "disk_fault"
    """The disk did not keep something, though there is room."""
    STORE_DAMAGED = "store_damaged"
    """What is on the disk is not what was written."""
    HARDWARE = "hardware"
    INSIDE = "inside"
    """A mistake in the daemon itself."""


def fault_kind_of(error: BaseException) -> FaultKind:
    """Return the kind that the error's class has; what has none is a mistake of the daemon's own."""
    kind = getattr(error, "kind", None)
    return FaultKind(kind) if kind is not None else FaultKind.INSIDE
