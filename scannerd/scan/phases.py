"""What the daemon does at a moment, and what may follow. How a run ended is an outcome, not a phase."""

import time
from enum import StrEnum


class Phase(StrEnum):
    """One state."""

    IDLE = "idle"
    PREPARING = "preparing"
    MOVING = "moving"
    SETTLING = "settling"
    CAPTURING = "capturing"
    JUDGING = "judging"
    """The table waits for a verdict."""
    STORING = "storing"
    """The table waits until frames are on the disk."""
    PAUSED = "paused"
    SEALING = "sealing"
    BACKGROUND = "background"
    JOGGING = "jogging"


_AFTER_A_FRAME = frozenset({Phase.MOVING, Phase.SETTLING, Phase.STORING, Phase.PAUSED, Phase.SEALING})

_NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.IDLE: frozenset({Phase.PREPARING, Phase.BACKGROUND, Phase.JOGGING}),
    # A resumed scan may have every photo already.
    Phase.PREPARING: frozenset({Phase.MOVING, Phase.STORING, Phase.PAUSED, Phase.SEALING}),
    # What was taken before a fault is stored before the scan ends or pauses. A lift moves before the platter does,
    # and before a scan that goes on finds out where the platter stands.
    Phase.MOVING: frozenset({Phase.MOVING, Phase.SETTLING, Phase.STORING, Phase.PAUSED, Phase.PREPARING}),
    # A frame that did not come is asked for again from the same place.
    Phase.SETTLING: frozenset({Phase.CAPTURING, Phase.SETTLING, Phase.STORING, Phase.PAUSED}),
    # The table moves on while the frame is judged and stored; a retake waits at its place for the verdict.
    Phase.CAPTURING: _AFTER_A_FRAME | {Phase.JUDGING},
    Phase.JUDGING: _AFTER_A_FRAME,
    Phase.STORING: _AFTER_A_FRAME | {Phase.JUDGING, Phase.PREPARING},
    # After a question the photo is taken again from the same place. After the motor was off it is looked where the
    # platter stands. A person who goes on may be asked something at once: to turn the object over.
    Phase.PAUSED: frozenset(
        {Phase.PAUSED, Phase.PREPARING, Phase.MOVING, Phase.SETTLING, Phase.STORING, Phase.SEALING}
    ),
    # Photos may be added at the last moment.
    Phase.SEALING: frozenset({Phase.MOVING, Phase.STORING, Phase.PAUSED}),
    Phase.BACKGROUND: frozenset(),
    Phase.JOGGING: frozenset(),
}

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    # Everything can end at once: by Stop, by a fault, by the end of the run.
    phase: following | (frozenset() if phase is Phase.IDLE else frozenset({Phase.IDLE}))
    for phase, following in _NEXT.items()
}


class IllegalTransition(RuntimeError):
    """A mistake in the daemon: the table does not allow this step."""


class PhaseTracker:
    """Holds the present phase and refuses steps that the table does not know."""

    def __init__(self) -> None:
        self.phase = Phase.IDLE
        self._entered_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """How long the present phase has lasted, in the system's time: what hangs may hold the bench's clock."""
        return time.monotonic() - self._entered_s

    def enter(self, phase: Phase) -> None:
        """Go to `phase`. Raises IllegalTransition."""
        if phase not in TRANSITIONS[self.phase]:
            allowed = ", ".join(sorted(TRANSITIONS[self.phase]))
            raise IllegalTransition(f"{self.phase} → {phase}: from {self.phase} only {allowed}")
        self.phase = phase
        self._entered_s = time.monotonic()
