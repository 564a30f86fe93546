"""Edges of the object alone: a map of their strength, and how wide the strongest are in the photo itself.

Tiles are chosen in the small companion, inside the mask, where its edges are strongest; only they are looked at in
full resolution, so that a photo of twelve megapixels costs no more than one of two.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.picture import Plane
from scannerd.quality.edges import edge_width_px

TILE_SHARE = 1 / 25
"""Side of a tile, of the picture's width."""
TILES, LEAST_TILES = 20, 3
MOST_PIXELS = 250_000
"""Of the photo that are looked at: of a large one, fewer tiles."""
LEAST_INSIDE = 0.75
"""Of a tile that must lie on the object."""
FULL_STRENGTH = 160.0
"""Steepness, in grey levels over a pixel, times 8, that the map shows as 255."""


@dataclass(frozen=True)
class ObjectEdges:
    """What one photo shows of the object's own edges."""

    width_px: float | None
    """Standard deviation of the strongest, in pixels of the photo; None where there is no edge to measure."""
    energy: float
    """Mean steepness on the object, grey levels a pixel of the companion."""
    strength: Plane
    """(h, w) of the companion: steepness on the object, 255 the strongest, 0 elsewhere."""


def object_edges(photo: Plane, small: Plane, mask: Plane) -> ObjectEdges:
    """Look at brightness (H, W) and (h, w) on a mask (h, w) of the companion."""
    strength = cv2.bitwise_and(_strength(small), mask)
    area = max(cv2.countNonZero(mask), 1)
    energy = float(cv2.sumElems(strength)[0]) / area * FULL_STRENGTH / 8 / 255
    side_px = _tile_px(small) * photo.shape[1] / small.shape[1]
    most = max(LEAST_TILES, min(TILES, int(MOST_PIXELS / side_px**2)))
    tiles = _chosen(np.asarray(strength, np.uint8), mask, most)
    if len(tiles) < LEAST_TILES:
        return ObjectEdges(None, energy, np.asarray(strength, np.uint8))
    width = edge_width_px(*_cut_out(photo, tiles, photo.shape[1] / small.shape[1], _tile_px(small)))
    return ObjectEdges(width, energy, np.asarray(strength, np.uint8))


def _strength(small: Plane) -> Plane:
    """Return (h, w), 0 to 255."""
    smooth = cv2.GaussianBlur(small, (5, 5), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_16S, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    # The larger way plus half of the smaller one is the length, to an eighth, in whole numbers.
    across, down = (
        cv2.convertScaleAbs(across, alpha=255 / FULL_STRENGTH),
        cv2.convertScaleAbs(down, alpha=255 / FULL_STRENGTH),
    )
    return np.asarray(cv2.addWeighted(cv2.max(across, down), 1.0, cv2.min(across, down), 0.5, 0.0), np.uint8)


def _tile_px(small: Plane) -> int:
    return max(8, round(float(small.shape[1]) * TILE_SHARE))


def _chosen(strength: Plane, mask: Plane, most: int) -> list[tuple[int, int]]:
    """Return column and row of the strongest tiles, in tiles."""
    side = _tile_px(strength)
    columns, rows = strength.shape[1] // side, strength.shape[0] // side
    size, whole = (columns, rows), (slice(0, rows * side), slice(0, columns * side))
    inside = cv2.resize(mask[whole], size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(strength[whole], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    total[inside < 255 * LEAST_INSIDE] = 0
    order = np.argsort(total.ravel())[::-1][:most]
    return [(int(place % columns), int(place // columns)) for place in order if total.ravel()[place] > 1]


def _cut_out(photo: Plane, tiles: list[tuple[int, int]], scale: float, side: int) -> list[Plane]:
    """Return the tiles in full resolution; views, not copies."""
    size = round(side * scale)
    pieces = []
    for column, row in tiles:
        left, top = round(column * side * scale), round(row * side * scale)
        piece = photo[top : top + size, left : left + size]
        if piece.shape == (size, size):
            pieces.append(piece)
    return pieces
