"""What several slips together say about the turntable: too fast, too heavy, or something is loose."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

TREND = 3
"""So many slips the same way are no accident."""
LOOSE = 4
"""So many slips either way mean that something between motor and mat is loose."""
SLOWER = 0.7
"""What speed is proposed: a stepper's torque falls about as its speed rises."""


@dataclass(frozen=True)
class Slip:
    """One slip that was corrected."""

    index: int
    """Of the viewpoint."""
    photo: int
    """How many photos this run had seen by then, this one counted."""
    slipped_deg: float
    moved_deg: float
    """The way that the platter should have gone before this photo, with its sign; 0 where nobody knows."""

    @property
    def behind(self) -> bool:
        """The platter turned less than it should, as it does when steps are lost."""
        return self.slipped_deg * self.moved_deg < 0


def trend_warning(slips: Sequence[Slip], max_speed_deg_s: float | None = None) -> str | None:
    """Return what a person should know after the latest slip; None unless it makes a trend just now."""
    for behind in (True, False):
        same = [slip for slip in slips if slip.behind is behind]
        if slips[-1].behind is behind and len(same) == len(slips) and len(same) % TREND == 0:
            return f"{_what(same, 'fell behind' if behind else 'ran ahead')}; {_advice(behind, max_speed_deg_s)}"
    mixed = len({slip.behind for slip in slips}) == 2
    if mixed and len(slips) % LOOSE == 0:
        return f"{_what(slips, 'slipped either way')}; tighten belt and pulley, and fix the mat to the platter"
    return None


def _what(slips: Sequence[Slip], verb: str) -> str:
    photos = slips[-1].photo - slips[0].photo + 1
    sizes = [abs(slip.slipped_deg) for slip in slips]
    told = ", ".join(f"{size:.1f}°" for size in sizes[-TREND:])
    growing = ", more each time" if all(a < b for a, b in pairwise(sizes)) else ""
    return f"the platter {verb} {len(slips)} times within {photos} photos, at last by {told}{growing}"


def _advice(behind: bool, max_speed_deg_s: float | None) -> str:
    if not behind:
        return "it coasts beyond its stop: lower [turntable] acceleration_deg_s2, or take weight off the platter"
    if max_speed_deg_s is None:
        return "the motor loses steps: lower [turntable] max_speed_deg_s, or take weight off the platter"
    return (
        f"the motor loses steps at [turntable] max_speed_deg_s = {max_speed_deg_s:g}: "
        f"try {max_speed_deg_s * SLOWER:.0f}, or take weight off the platter"
    )
