"""A frame as it comes from the station."""

from dataclasses import dataclass

from scannerd.quality.look import Look
from scannerd.scan.plan import Viewpoint
from scannerd.scan.shot import Arrival, Shot
from scannerd.scan.slip import SlipVerdict
from scannerd.scan.stages import Stages


@dataclass
class Taken:
    """One frame on its way to the disk."""

    viewpoint: Viewpoint
    arrival: Arrival
    shot: Shot
    stages: Stages
    attempt: int = 1
    keep_anyway: bool = False
    """Whatever the gate says: a person has looked, or nobody can be asked."""
    seen_deg: float | None = None
    """Platter angle as read off the mat."""
    slip: SlipVerdict | None = None
    """What the mat says about the platter; None until it was looked at."""

    @property
    def is_jammed(self) -> bool:
        """Whether it was taken of a platter that had not turned."""
        return self.slip is not None and self.slip.jammed


@dataclass(frozen=True)
class Rejected:
    """A frame that was not good enough; nothing of it is kept but the numbers."""

    taken: Taken
    look: Look
