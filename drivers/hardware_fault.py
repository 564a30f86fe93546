"""What can be wrong with hardware, in a word that programs may rest on."""

from enum import StrEnum


class HardwareFault(StrEnum):
    """Each class of `DriverError` has one; the message says the rest."""

    CAMERA_SILENT = "camera_silent"
    """No frame comes, also after the driver has started the stream again."""
    CAMERA_UNUSABLE = "camera_unusable"
    """There is none, another program has it, or it cannot do what the settings ask."""
    POSITION_LOST = "position_lost"
    """Nobody knows where an axis stands, or it would leave its limits."""
    LINK_BROKEN = "link_broken"
    """A cable or line to a controller does not carry what was sent."""
    EMERGENCY_STOP = "emergency_stop"
    """Somebody pushed the emergency stop."""
    HARDWARE = "hardware"
    """Anything else: pins that cannot be had, a device that was closed."""
