"""Who holds which GPIO line, as the kernel tells it through the chip's own device file (include/uapi/linux/gpio.h).

Asking claims nothing, and needs no library.
"""

import fcntl
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CHIP_INFO = struct.Struct("32s32sI")
"""struct gpiochip_info: name, label, lines."""
_LINE_INFO = struct.Struct("32s32sIIQ160s4I")
"""struct gpio_v2_line_info: name, consumer, offset, num_attrs, flags, attrs, padding."""
_GET_CHIP_INFO = 0x80000000 | _CHIP_INFO.size << 16 | 0xB4 << 8 | 0x01
_GET_LINE_INFO = 0xC0000000 | _LINE_INFO.size << 16 | 0xB4 << 8 | 0x05
_USED = 1 << 0

PI_LABELS = ("pinctrl-bcm", "pinctrl-rp1")
"""What the chip of the 40-pin header is called, on Pis up to the 4 and on the Pi 5."""


@dataclass(frozen=True)
class GpioChip:
    """One chip of this machine."""

    path: Path
    label: str
    lines: int

    @property
    def is_header(self) -> bool:
        """Whether the 40-pin header is on it."""
        return self.label.startswith(PI_LABELS)


@dataclass(frozen=True)
class HeldLine:
    """A line that some program, or the kernel itself, has taken."""

    pin: int
    by: str
    """The name that it gave, such as `lg` or `spi0 CS0`."""


def chip_at(path: Path) -> GpioChip:
    """Return what the chip says of itself. Raises OSError."""
    answer = bytearray(_CHIP_INFO.size)
    _ask(path, _GET_CHIP_INFO, answer)
    _, label, lines = _CHIP_INFO.unpack(answer)
    return GpioChip(path, _text(label), lines)


def held_lines(chip: GpioChip, pins: Iterable[int]) -> list[HeldLine]:
    """Return which of these pins are taken. Raises OSError."""
    held = []
    for pin in pins:
        answer = bytearray(_LINE_INFO.pack(b"", b"", pin, 0, 0, b"", 0, 0, 0, 0))
        _ask(chip.path, _GET_LINE_INFO, answer)
        name, consumer, _, _, flags, *_ = _LINE_INFO.unpack(answer)
        if flags & _USED:
            held.append(HeldLine(pin, _text(consumer) or _text(name) or "an unnamed program"))
    return held


def _ask(path: Path, request: int, answer: bytearray) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, request, answer, True)
    finally:
        os.close(descriptor)


def _text(name: bytes) -> str:
    return name.split(b"\0", 1)[0].decode(errors="replace")
