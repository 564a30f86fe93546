"""A ring of WS2812 (NeoPixel) light-emitting diodes at the data line of an SPI bus.

Each bit is a pulse of 1.25 µs, long for 1 and short for 0 (data sheet of the WS2812B). The bus sends three bits for
each at 2.4 MHz, 110 or 100, so that hardware times them and no root is needed (docs/decisions/0014).
"""

from drivers.options_light import Ws2812Options
from drivers.protocols import WHITE, Colour, DriverError
from drivers.spi_device import SpiDevice

SPEED_HZ = 2_400_000
LONGEST_RESET_S = 280e-6
"""The line is low for so long where a picture begins; older ones need 50 µs."""
RESET = bytes(round(LONGEST_RESET_S * SPEED_HZ / 8) + 1)
STEPS = 255
TRIPLETS = {"0": "100", "1": "110"}


class Ws2812Light:
    """`Light` in any colour. Brightness is linear in light: half the level is half the photons."""

    has_colours = True

    def __init__(self, options: Ws2812Options) -> None:
        """Open the bus and shine with the configured level and colour. Raises DriverError."""
        self._options = options
        try:
            self._bus: SpiDevice | None = SpiDevice(options.device, SPEED_HZ)
        except OSError as error:
            raise DriverError(f"light: {options.device}: {error.strerror or error}; {_remedy(error)}") from error
        try:
            self.set_level(options.level, options.colour)
        except DriverError:
            self._bus.close()
            raise

    def set_level(self, level: float, colour: Colour = WHITE) -> None:
        """Shine with this share of all there is in this colour; returns once it is sent. Raises DriverError."""
        if not 0 <= level <= 1 or not all(0 <= share <= 1 for share in colour):
            raise DriverError(f"light: level {level}, colour {colour}: use 0 (off) to 1 (all there is)")
        if self._bus is None:
            raise DriverError("light: closed; build a new one")
        red, green, blue = (round(level * share * STEPS) for share in colour)
        try:
            self._bus.write(RESET + encoded(bytes((green, red, blue))) * self._options.count + RESET)
        except OSError as error:
            raise DriverError(
                f"light: {self._options.device}: {error}; restart the daemon to open it again"
            ) from error

    def close(self) -> None:
        """Switch it off and free the bus; safe to call twice."""
        if self._bus is None:
            return
        try:
            self.set_level(0.0)
        finally:
            bus, self._bus = self._bus, None
            bus.close()


def encoded(levels: bytes) -> bytes:
    """Return the bus's bytes for those of one diode: nine for green, red and blue."""
    bits = "".join(TRIPLETS[bit] for byte in levels for bit in f"{byte:08b}")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "enable SPI (sudo raspi-config nonint do_spi 0, then restart), or set [light] device"
    if isinstance(error, PermissionError):
        return "sudo usermod -aG spi for the user that it runs as, then restart its service"
    return "check [light] device and who else uses it"
