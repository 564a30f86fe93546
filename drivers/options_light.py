"""What a light on the object can be told, where it has colours, as plain values with units."""

from dataclasses import dataclass

from drivers.protocols import WHITE, Colour


@dataclass(frozen=True)
class Ws2812Options:
    """A ring of WS2812 diodes, all of one colour."""

    device: str = "/dev/spidev0.0"
    """Its data line is GPIO10."""
    count: int = 24
    """Diodes in the ring."""
    level: float = 1.0
    """At the start, 0 to 1."""
    colour: Colour = WHITE
