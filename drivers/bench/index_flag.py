"""What an index sensor sees: a flag under the platter, an arm that comes down on a switch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IndexFlag:
    """A flag on the platter's rim; angles as the platter's."""

    edge_deg: float = 137.0
    """Turning counter-clockwise, the sensor sees it from here on."""
    width_deg: float = 3.0

    def covers(self, angle_deg: float) -> bool:
        """Whether the sensor sees it with the platter at this angle."""
        return (angle_deg - self.edge_deg) % 360 < self.width_deg
