"""One SPI bus of the kernel, written to through its device file (Documentation/spi/spidev.rst). Needs no root."""

import struct
from fcntl import ioctl
from os import O_RDWR
from os import close as close_file
from os import open as open_file
from os import write as write_file

WRITE_MODE, WRITE_BITS, WRITE_SPEED = 0x40016B01, 0x40016B03, 0x40046B04
"""`_IOW('k', n, …)` of linux/spi/spidev.h."""


class SpiDevice:
    """Opened. What goes wrong comes out as OSError."""

    def __init__(self, path: str, speed_hz: int) -> None:
        self._file = open_file(path, O_RDWR)
        try:
            ioctl(self._file, WRITE_MODE, struct.pack("B", 0))
            ioctl(self._file, WRITE_BITS, struct.pack("B", 8))
            ioctl(self._file, WRITE_SPEED, struct.pack("I", speed_hz))
        except OSError:
            close_file(self._file)
            raise

    def write(self, data: bytes) -> None:
        """Clock the bytes out in one transfer: 4096 at most, unless the kernel was told otherwise (spidev.bufsiz)."""
        sent = write_file(self._file, data)
        if sent != len(data):
            raise OSError(f"{sent} of {len(data)} bytes were sent")

    def close(self) -> None:
        """Give it back."""
        close_file(self._file)
