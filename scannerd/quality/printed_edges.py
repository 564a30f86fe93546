"""How wide the mat's printed edges are in a photo: they are steps, so what is wider than a step is blur.

The brightness across an edge that joins two corners is averaged along it; what stands between black and paper,
divided by the steepest slope, is the edge's width. A Gaussian of standard deviation s has a width of s times the root
of 2 pi, hence the division. It tells of focus and of motion alike, whatever the object looks like.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.picture import Plane
from offload.wire.bundle import MatSpec
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import square_sides

Floats = NDArray[np.float64]

ALONG = np.linspace(0.2, 0.8, 15)
"""Where an edge is crossed: not near its corners."""
STEP_PX = 0.5
MOST_REACH_PX = 12.0
LEAST_REACH_PX = 2.0
GAP_SHARE = 0.9
"""Of the white between a square's edge and its marker."""
LEAST_CONTRAST = 20.0
NEAREST = 60
"""Edges nearest to the axis count: as far from the camera as the object."""
LEAST_EDGES = 6
UPPER = 0.75
"""Motion blurs the edges that lie across it; of two directions at right angles at least one does."""


@dataclass(frozen=True)
class PrintedEdges:
    """Widths of edges around the object, pixels of the photo, as standard deviations."""

    width_px: float
    """Of the wider ones."""
    across_px: float
    """Of those that a turn of the platter smears; as the others where there are too few."""
    along_px: float
    """Of those that it does not."""

    @property
    def is_smeared(self) -> bool:
        """Whether the platter turned: out of focus, all edges are wide."""
        return self.across_px > 1.25 * self.along_px + 0.15


def printed_edges(photo: Plane, mat: MatSpec, reading: MatReading, corners_mm: Floats) -> PrintedEdges | None:
    """Measure (h, w); None where too few edges are seen between corners."""
    sides = square_sides(mat, reading.numbers)
    if len(sides) < LEAST_EDGES:
        return None
    places = corners_mm[reading.numbers]
    middle_mm = (places[sides[:, 0]] + places[sides[:, 1]]) / 2
    sides = sides[np.argsort(np.linalg.norm(middle_mm, axis=1))[:NEAREST]]
    first, second = reading.pixels[sides[:, 0]], reading.pixels[sides[:, 1]]
    widths, usable = _widths(photo, first, second, _reach_px(mat, reading, sides))
    if usable.sum() < LEAST_EDGES:
        return None
    turned = _crossed_by_turning(places, reading.pixels, sides)
    across, along = widths[usable & (turned > 0.8)], widths[usable & (turned < 0.45)]
    both = float(np.quantile(widths[usable], UPPER))
    enough = min(len(across), len(along)) >= LEAST_EDGES // 2
    return PrintedEdges(
        width_px=both,
        across_px=float(np.median(across)) if enough else both,
        along_px=float(np.median(along)) if enough else both,
    )


def _widths(photo: Plane, first: Floats, second: Floats, reach_px: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return every edge's width, and whether there is an edge."""
    way = second - first
    length = np.linalg.norm(way, axis=1, keepdims=True)
    normal = np.stack([-way[:, 1], way[:, 0]], axis=1) / np.maximum(length, 1e-9)
    offsets = np.arange(-reach_px, reach_px + STEP_PX / 2, STEP_PX)
    on_edge = first[:, None] + ALONG[None, :, None] * way[:, None]
    at = on_edge[:, :, None] + offsets[None, None, :, None] * normal[:, None, None]
    flat = at.reshape(len(first) * len(ALONG), len(offsets), 2).astype(np.float32)
    levels = cv2.remap(photo, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    profile = np.asarray(levels, np.float32).reshape(len(first), len(ALONG), len(offsets)).mean(axis=1)
    contrast = profile.max(axis=1) - profile.min(axis=1)
    slope = np.abs(profile[:, 2:] - profile[:, :-2]).max(axis=1) / (2 * STEP_PX)
    height, width = photo.shape
    inside = (
        (at > 0).all(axis=(1, 2, 3))
        & (at[..., 0] < width - 1).all(axis=(1, 2))
        & (at[..., 1] < height - 1).all(axis=(1, 2))
    )
    widths = contrast / np.maximum(slope, 1e-3) / math.sqrt(2 * math.pi)
    return widths, inside & (contrast > LEAST_CONTRAST)


def _reach_px(mat: MatSpec, reading: MatReading, sides: NDArray[np.int64]) -> float:
    """Return how far from an edge nothing but this edge is seen, for the most foreshortened of these squares."""
    gap = (1 - mat.marker_mm / mat.square_mm) / 2
    lengths = np.linalg.norm(reading.pixels[sides[:, 0]] - reading.pixels[sides[:, 1]], axis=1)
    return float(np.clip(GAP_SHARE * gap * np.quantile(lengths, 0.25), LEAST_REACH_PX, MOST_REACH_PX))


def _crossed_by_turning(places_mm: Floats, pixels: Floats, sides: NDArray[np.int64]) -> Floats:
    """Return |cosine| between each edge's normal and the way that it goes when the platter turns."""
    homography, _ = cv2.findHomography(places_mm, pixels)
    middle = (places_mm[sides[:, 0]] + places_mm[sides[:, 1]]) / 2
    if homography is None:
        return np.full(len(sides), 0.6)
    turn = np.deg2rad(0.5)
    turned = middle @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    seen = [cv2.perspectiveTransform(at.reshape(-1, 1, 2), homography).reshape(-1, 2) for at in (middle, turned)]
    moved = seen[1] - seen[0]
    way = pixels[sides[:, 1]] - pixels[sides[:, 0]]
    sine = np.abs(moved[:, 0] * way[:, 1] - moved[:, 1] * way[:, 0])
    return np.asarray(sine / np.maximum(np.linalg.norm(moved, axis=1) * np.linalg.norm(way, axis=1), 1e-9))
