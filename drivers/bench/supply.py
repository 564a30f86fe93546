"""The bench's power supply, as a Raspberry Pi's firmware reports it: a file in a folder like /sys."""

from pathlib import Path

FLAGS_FILE = "devices/platform/soc/soc:firmware/get_throttled"
UNDER_VOLTAGE_NOW, UNDER_VOLTAGE_BEFORE = 1 << 0, 1 << 16


class SimulatedSupply:
    """Good enough until somebody weakens it."""

    def __init__(self, sysfs: Path) -> None:
        """Write the flags beneath this folder. Raises OSError."""
        self.sysfs = sysfs
        self._file = sysfs / FLAGS_FILE
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._flags = 0
        self.set_low(False)

    @property
    def low(self) -> bool:
        """Whether the voltage is too low at this moment."""
        return bool(self._flags & UNDER_VOLTAGE_NOW)

    def set_low(self, low: bool) -> None:
        """Let the voltage sag, or recover; the firmware remembers that it did. Raises OSError."""
        before = self._flags & UNDER_VOLTAGE_BEFORE
        self._flags = UNDER_VOLTAGE_NOW | UNDER_VOLTAGE_BEFORE if low else before
        self._file.write_text(f"{self._flags:x}\n")
