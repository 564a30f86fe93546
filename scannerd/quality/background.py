"""What lies behind the object beside the mat: the room, which stands still, and the table, which turns with the mat.

Both are learnt from the scan's own companions: the room in the picture's raster, the table in one of its own, from
above.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane
from scannerd.quality.brightness import ratio_of_pictures
from scannerd.quality.flags import Flags, both, either, inverse, looked_up, none_like, within
from scannerd.quality.mat_view import MatView
from scannerd.quality.usual_look import UsualLook, alike

PICTURES_TO_KNOW = 4
"""So many photos tell what stands still."""
TABLE_PX = 400
TABLE_REACH = 1.7
"""Half a side of the table's raster, in halves of the mat's longer side."""
SHADE = 0.5
"""A shadow on the table takes no more of the light than this."""
TABLE_LEVELS = (16, 8, 8, 0)


@dataclass(frozen=True)
class Behind:
    """What one picture says of the background, all (h, w)."""

    judged: Flags
    """Where enough was seen before to tell."""
    same: Flags
    """Where the picture shows what usually is there."""
    proven: Flags
    """Where that is proof that the object is not there: a plain object poses as what stands still."""


class Background:
    """Of one camera that does not move, in constant memory."""

    def __init__(self) -> None:
        self._room: UsualLook | None = None
        self._table: UsualLook | None = None

    @property
    def is_known(self) -> bool:
        """Whether enough pictures were learnt."""
        return self._room is not None and self._room.pictures >= PICTURES_TO_KNOW

    def behind(self, sight: Plane, view: MatView | None) -> Behind:
        """Compare (h, w, 3) with what was learnt."""
        judged, same, proven = (none_like(sight) for _ in range(3))
        if self._room is not None and self.is_known:
            judged = self._room.often_seen(PICTURES_TO_KNOW)
            same = both(alike(sight, self._room.picture), self._room.known())
            proven = both(same, self._room.left_again())
        if view is not None and self._table is not None and self._table.pictures >= PICTURES_TO_KNOW:
            known, shown = _on_table(self._table, sight, view)
            judged, same, proven = either(judged, known), either(same, shown), either(proven, shown)
        return Behind(judged, same, proven)

    def light(self, sight: Plane) -> float | None:
        """Return how much light falls on what stands still, as a factor of what it was; None while nothing tells."""
        if self._room is None or not self.is_known:
            return None
        return ratio_of_pictures(sight[..., 0], self._room.picture[..., 0], self._room.known())

    def learn(self, sight: Plane, view: MatView | None) -> None:
        """Remember (h, w, 3). The mat itself is not background: its look is known."""
        if self._room is None or self._room.picture.shape != sight.shape:
            self._room, self._table = UsualLook((sight.shape[0], sight.shape[1])), None
        on_mat = view.on_mat if view is not None else none_like(sight)
        self._room.learn(sight, inverse(on_mat))
        if view is None:
            return
        if self._table is None:
            self._table = UsualLook((TABLE_PX, TABLE_PX))
        at = view.pixels_at(TABLE_PX, TABLE_REACH * view.half_side_mm)
        from_above = np.asarray(looked_up(sight, at), np.uint8)
        height, width = sight.shape[:2]
        self._table.learn(from_above, within(at, (1.0, 1.0), (width - 2.0, height - 2.0)))


def _on_table(table: UsualLook, sight: Plane, view: MatView) -> tuple[Flags, Flags]:
    """Return where the table's look is known, and where it is seen, a pixel's misfit and shadow allowed."""
    reach_mm = TABLE_REACH * view.half_side_mm
    scale = TABLE_PX / (2 * reach_mm)
    affine = np.array([[scale, 0, reach_mm * scale - 0.5], [0, -scale, reach_mm * scale - 0.5]])
    at = np.asarray(cv2.transform(view.places_mm, affine), np.float32)
    known = np.asarray(looked_up(table.known(), at, nearest=True), np.uint8)
    usual = np.asarray(looked_up(table.picture, at, beyond=-1), np.uint8)
    kernel, levels = np.ones((3, 3), np.uint8), np.array(TABLE_LEVELS, np.float64)
    low = np.asarray(cv2.subtract(cv2.erode(usual, kernel), levels), np.uint8)
    high = np.asarray(cv2.add(cv2.dilate(usual, kernel), levels), np.uint8)
    low[..., 0] = (low[..., 0] * SHADE).astype(np.uint8)
    return known, both(within(sight, low, high), known)
