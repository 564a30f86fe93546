"""From counts on the skin to shares of it."""

import numpy as np
from numpy.typing import NDArray

from scannerd.coverage.report import CoverageReport
from scannerd.coverage.voxel_hull import Skin

NEEDED = 3
"""Sharp photos that must see a place: two to agree, and a third to confirm."""
BANDS, SECTORS = 8, 24
DOWNWARDS = -0.5
"""z of a normal: what looks down steeper than 30° below level is the object's underside."""


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
    """The underside is left out: it would paint over what stands above it, and is told by a number of its own."""
    areas = np.where(skin.normals[:, 2] < DOWNWARDS, 0, skin.areas)
    low, high = skin.points_mm[:, 2].min(), skin.points_mm[:, 2].max()
    band = np.clip((skin.points_mm[:, 2] - low) / max(high - low, 1e-6) * BANDS, 0, BANDS - 1).astype(np.int64)
    middle = skin.middle_mm
    azimuth = np.arctan2(skin.points_mm[:, 1] - middle[1], skin.points_mm[:, 0] - middle[0]) % (2 * np.pi)
    sector = np.minimum((azimuth / (2 * np.pi) * SECTORS).astype(np.int64), SECTORS - 1)
    cell = band * SECTORS + sector
    area = np.bincount(cell, areas, BANDS * SECTORS)
    weak_area = np.bincount(cell, areas * weak, BANDS * SECTORS)
    shares = [round(float(w / a), 2) if a > 0 else None for w, a in zip(weak_area, area, strict=True)]
    return tuple(tuple(shares[row * SECTORS : (row + 1) * SECTORS]) for row in range(BANDS))
