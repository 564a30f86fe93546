"""What a person still has to show: where in the photo, and how the board is to be held."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scannerd.calibration.board_view import BoardView

ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "", "right")
LEAST_IN_REGION = 20
"""Corners: a region with fewer says little about how the lens bends there."""
LEAST_TILT_DEG, TILTED_VIEWS = 15.0, 2
"""A board that always faces the camera cannot tell a long lens from a far board."""
LEAST_VIEWS = 12
NEW_SHARE = 0.06
"""Of the photo's width: a view that lies nearer to an earlier one says nothing new, unless it is tilted otherwise."""
NEW_TILT_DEG = 8.0
TILTS = (
    ("its left edge nearer", 0, 1.0),
    ("its right edge nearer", 0, -1.0),
    ("its lower edge nearer", 1, 1.0),
    ("its upper edge nearer", 1, -1.0),
)


@dataclass
class CoverageGuide:
    """Collects views, and says what is missing."""

    width_px: int
    height_px: int
    views: list[BoardView] = field(default_factory=list)

    def is_new(self, view: BoardView) -> bool:
        """Whether it says something that no view so far does."""
        return all(self._differ(view, earlier) for earlier in self.views)

    def add(self, view: BoardView) -> None:
        """Keep it."""
        self.views.append(view)

    def regions(self) -> NDArray[np.int64]:
        """Return how many corners each of nine regions of the photo shows: (3, 3), the upper ones first."""
        counts = np.zeros((3, 3), np.int64)
        for view in self.views:
            column = np.clip(view.pixels[:, 0] * 3 // self.width_px, 0, 2).astype(int)
            row = np.clip(view.pixels[:, 1] * 3 // self.height_px, 0, 2).astype(int)
            np.add.at(counts, (row, column), 1)
        return counts

    def missing(self) -> tuple[str, ...]:
        """Return what is still to be shown, in words that follow "hold the board"; nothing: it is enough."""
        few = self.regions() < LEAST_IN_REGION
        wanted = [f"at the {_region(row, column)}" for row in range(3) for column in range(3) if few[row, column]]
        for words, axis, sign in TILTS:
            tilted = sum(view.tilt_deg[axis] * sign >= LEAST_TILT_DEG for view in self.views)
            if tilted < TILTED_VIEWS:
                wanted.append(f"with {words}, by {LEAST_TILT_DEG:.0f}° or more")
        if len(self.views) < LEAST_VIEWS and not wanted:
            wanted.append("otherwise than before: nearer, farther, turned")
        return tuple(wanted)

    def _differ(self, one: BoardView, other: BoardView) -> bool:
        moved_px = one.moved_px(other)
        turned = max(abs(a - b) for a, b in zip(one.tilt_deg, other.tilt_deg, strict=True))
        return moved_px is None or moved_px > NEW_SHARE * self.width_px or turned > NEW_TILT_DEG


def _region(row: int, column: int) -> str:
    if not COLUMNS[column]:
        return f"{ROWS[row]} of the photo" if ROWS[row] != "middle" else "middle of the photo"
    return f"{'' if ROWS[row] == 'middle' else ROWS[row] + ' '}{COLUMNS[column]} of the photo"
