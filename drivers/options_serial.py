"""What the axes behind a serial controller can be told, as plain values with units."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """A command of a simple table, and what it answers."""

    command: str
    """A template: `{angle_deg:.2f}`, `{units:.3f}`, `{by_deg:.2f}`, `{by_units:.3f}`, `{speed_deg_s:.1f}`."""
    reply: str
    """A regular expression that one whole line of the answer matches."""


@dataclass(frozen=True)
class TablePhrases:
    """The language of a simple table; None: it cannot do that."""

    move: Phrase | None = None
    """To a place. Its reply says that the table has arrived, or has begun where `query` can tell the rest."""
    move_by: Phrase | None = None
    """By so much, where it knows no places."""
    query: Phrase | None = None
    """Its reply's group `angle_deg` or `units` says where the table is."""
    stop: Phrase | None = None
    home: Phrase | None = None
    off: Phrase | None = None
    on: Phrase | None = None
    error_reply: str = r"(?i)err.*"
    """What it says instead of a reply when it refuses."""
    line_end: str = "\n"


@dataclass(frozen=True)
class SerialAxisOptions:
    """An axis of a motion controller on a serial line."""

    name: str = "turntable"
    """What it moves, as messages and config.toml call it."""
    port: str = "/dev/scanner-turntable"
    """As udev names it; USB numbers such as ttyUSB0 change."""
    baud: int = 0
    """0: by who answers."""
    letter: str = "X"
    """Of the controller's axis."""
    units_per_turn: float = 360.0
    """Of the controller, mostly mm, for one turn of the platter. 360: its units are degrees."""
    max_speed_deg_s: float = 60.0
    acceleration_deg_s2: float = 180.0
    backlash_deg: float = 0.0
    """Play of belt or gear. Every place is then reached from the same side."""
    reversed: bool = False
    soft_limits_deg: tuple[float, float] | None = None
    """Lowest and highest angle that a move may ask for; None turns for ever."""
    homes: bool = False
    """The controller has a switch to home to (GRBL says so itself by $22)."""
    home_deg: float = 0.0
    """The angle there."""
    phrases: TablePhrases = TablePhrases()
    """Of a `serial_table`."""

    @property
    def units_per_deg(self) -> float:
        """Positive; `reversed` is for angles."""
        return self.units_per_turn / 360.0

    @property
    def speed_units_s(self) -> float:
        """The configured speed in units."""
        return self.max_speed_deg_s * self.units_per_deg

    @property
    def acceleration_units_s2(self) -> float:
        """The configured acceleration in units."""
        return self.acceleration_deg_s2 * self.units_per_deg
