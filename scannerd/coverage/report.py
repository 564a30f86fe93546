"""What coverage tells: shares of the object's skin, where it is weak, and what would help."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scannerd.coverage.voxel_hull import Skin
from scannerd.scan.plan import Viewpoint

NEEDED = 3
"""Sharp photos that must see a place, for two of them to agree and a third to confirm."""
BANDS, SECTORS = 8, 24
DOWNWARDS = -0.5
"""z of a normal: what looks down steeper than 30° below level is the object's underside."""


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
    mat's frame: the share of the skin there that fewer than 3 sharp photos see; None where there is no skin."""
    guessed_camera: bool = False
    """No photo showed the mat: camera and size are guesses, and so are the shares."""
    proposal: Proposal | None = None

    def with_proposal(self, proposal: Proposal | None) -> Self:
        """Return it with what would help."""
        return replace(self, proposal=proposal)


def report_on(skin: Skin, seen: NDArray[np.uint16], side: int, photos: int, *, guessed: bool) -> CoverageReport:
    """Tell of a skin whose pieces `seen` (n,) sharp photos see."""
    unseen = seen == 0
    return CoverageReport(
        side=side,
        photos=photos,
        covered_share=_share(skin, seen >= NEEDED),
        weak_share=_share(skin, (seen < NEEDED) & ~unseen),
        unseen_share=_share(skin, unseen),
        underside_share=_share(skin, unseen & (skin.normals[:, 2] < DOWNWARDS)),
        map=_map(skin, seen < NEEDED),
        guessed_camera=guessed,
    )


def _share(skin: Skin, which: NDArray[np.bool_]) -> float:
    return round(float(skin.areas[which].sum()), 4)


def _map(skin: Skin, weak: NDArray[np.bool_]) -> tuple[tuple[float | None, ...], ...]:
    low, high = skin.points_mm[:, 2].min(), skin.points_mm[:, 2].max()
    band = np.clip((skin.points_mm[:, 2] - low) / max(high - low, 1e-6) * BANDS, 0, BANDS - 1).astype(np.int64)
    middle = skin.middle_mm
    azimuth = np.arctan2(skin.points_mm[:, 1] - middle[1], skin.points_mm[:, 0] - middle[0]) % (2 * np.pi)
    sector = np.minimum((azimuth / (2 * np.pi) * SECTORS).astype(np.int64), SECTORS - 1)
    cell = band * SECTORS + sector
    area = np.bincount(cell, skin.areas, BANDS * SECTORS)
    weak_area = np.bincount(cell, skin.areas * weak, BANDS * SECTORS)
    shares = [round(float(w / a), 2) if a > 0 else None for w, a in zip(weak_area, area, strict=True)]
    return tuple(tuple(shares[row * SECTORS : (row + 1) * SECTORS]) for row in range(BANDS))
