"""What coverage tells: shares of the object's skin, where it is weak, and what would help."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from scannerd.scan.plan import Viewpoint


class ProposalKind(StrEnum):
    """What a person, or the camera's axis, would have to do."""

    RING = "ring"
    """The camera goes to another height for one more turn."""
    FLIP = "flip"
    """The object is turned over, and scanned again in the same scan."""


@dataclass(frozen=True)
class Proposal:
    """More viewpoints, and what they would bring."""

    kind: ProposalKind
    viewpoints: tuple[Viewpoint, ...]
    """Numbered on from the plan's last."""
    gain_share: float
    """Of the skin: seen by enough photos then, and not now."""
    elevation_deg: float | None
    """Of the camera, for a ring."""
    says: str
    """For people."""


@dataclass(frozen=True)
class CoverageReport:
    """Shares of the skin of the object as it lies now; together they are 1."""

    side: int
    photos: int
    """That were asked; only the sharp ones count as seeing."""
    covered_share: float
    """Seen by 3 sharp photos or more."""
    weak_share: float
    """Seen by 1 or 2."""
    unseen_share: float
    underside_share: float
    """The part of `unseen_share` that looks down: no turn of the platter shows it."""
    map: tuple[tuple[float | None, ...], ...]
    """Bands of height, lowest first, by sectors counter-clockwise seen from above, the first from x = 0° on in the
    mat's frame: the share of the skin there, without the underside, that fewer than 3 sharp photos see; None where
    there is none."""
    guessed_camera: bool = False
    """No photo showed the mat: camera and size are guesses, and so are the shares."""
    proposal: Proposal | None = None

    def with_proposal(self, proposal: Proposal | None) -> Self:
        """Return it with what would help."""
        return replace(self, proposal=proposal)
