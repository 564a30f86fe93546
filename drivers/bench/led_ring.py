"""A ring of WS2812 diodes at the far end of an SPI bus: the pulses on its data line become light in the world."""

import struct
from types import ModuleType

from drivers.bench.lamps import SimulatedLight

FILE = -2812
"""What stands for the open device; the kernel never gives such a number."""
WRITE_SPEED = 0x40046B04
BIT_NS, LATE_NS = 1250.0, 600.0
"""How long a bit takes, and by how much its diode puts up with another length (data sheet of the WS2812B)."""
LONG_NS, SHORT_NS = (580.0, 1000.0), (220.0, 480.0)
RESET_S = 280e-6


class LedRing:
    """Diodes that hand on what they do not take: all that they understand is what lies on the line."""

    def __init__(self, light: SimulatedLight, device: str, count: int) -> None:
        """Dark; `light` is what they shine as, together."""
        self._light = light
        self._device = device
        self.diodes: list[tuple[int, int, int]] = [(0, 0, 0)] * count
        """Red, green and blue of each, 0 to 255."""
        self._speed_hz = 500_000
        self._replaced: list[tuple[ModuleType, str, object]] = []

    def install(self, module: ModuleType) -> None:
        """Let `drivers.spi_device` find this bus."""
        for name, value in (
            ("open_file", self._open),
            ("ioctl", self._ioctl),
            ("write_file", self._write),
            ("close_file", self._close),
        ):
            self._replaced.append((module, name, getattr(module, name)))
            setattr(module, name, value)

    def remove(self) -> None:
        """Give the driver its kernel back; safe to call twice."""
        while self._replaced:
            setattr(*self._replaced.pop())

    def _open(self, path: str, _: int) -> int:
        if path != self._device:
            raise FileNotFoundError(2, "No such file or directory", path)
        return FILE

    def _ioctl(self, _: int, request: int, argument: bytes) -> int:
        if request == WRITE_SPEED:
            (self._speed_hz,) = struct.unpack("I", argument)
        return 0

    def _close(self, _: int) -> None:
        """The diodes keep what they were told last."""

    def _write(self, _: int, data: bytes) -> int:
        line = "".join(f"{byte:08b}" for byte in data)
        silence = round(RESET_S * self._speed_hz)
        start = line.find("1")
        if start < 0 or start < silence or len(line) - line.rindex("1") < silence:
            return len(data)  # No picture begins, or none is shown.
        bits = self._bits(line[start:])
        levels = [int(bits[place : place + 8], 2) for place in range(0, len(bits) - 7, 8)]
        for number in range(min(len(self.diodes), len(levels) // 3)):
            green, red, blue = levels[3 * number : 3 * number + 3]
            self.diodes[number] = (red, green, blue)
        count = len(self.diodes)
        mean = [sum(diode[place] for diode in self.diodes) / (255 * count) for place in range(3)]
        self._light.shine((mean[0], mean[1], mean[2]))
        return len(data)

    def _bits(self, line: str) -> str:
        """Judge each pulse by its length, as a diode does; one that fits to neither is taken for noise: all ends."""
        bits = ""
        tick_ns = 1e9 / self._speed_hz
        while "1" in line:
            high = len(line) - len(line.lstrip("1"))
            low = len(line[high:]) - len(line[high:].lstrip("0"))
            high_ns = high * tick_ns
            if SHORT_NS[0] <= high_ns <= SHORT_NS[1]:
                bits += "0"
            elif LONG_NS[0] <= high_ns <= LONG_NS[1]:
                bits += "1"
            else:
                break
            last = high + low == len(line)
            if not last and abs((high + low) * tick_ns - BIT_NS) > LATE_NS:
                break
            line = line[high + low :]
        return bits
