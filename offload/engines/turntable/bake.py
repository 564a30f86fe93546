"""What colour the photos give to points on the surface."""

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import Cancellation
from offload.engines.turntable.jit import kernel
from offload.engines.turntable.raster import rasterise
from offload.engines.turntable.views import Mesh, ViewSet

Singles = NDArray[np.float32]
Scores = NDArray[np.uint8]

BLENDED = 3
"""Views whose colours are mixed."""
SHARPNESS = 5
LEAST_COSINE = 0.12
EDGE_PX = 6.0
"""Nearer to the silhouette's edge than this a view counts less: background bleeds in there."""
NEIGHBOURHOOD_PX = 5
"""A surface just behind another one's edge does not count as seen."""


@dataclass(frozen=True)
class Colours:
    """Colours of points and which of them a photo saw."""

    bgr: NDArray[np.uint8]
    """(n, 3)."""
    seen: NDArray[np.bool_]
    """(n,)."""


def bake(
    points: Singles, normals: Singles, skin: Mesh, views: ViewSet, tolerance: float, cancellation: Cancellation
) -> Colours:
    """Blend for each point (n, 3) with unit normal (n, 3) the views that see it most directly.

    `skin` is what hides points from views; `tolerance` is how far behind it a point may lie, in the mesh's unit.
    """
    scores = rated(points, normals, skin, views, tolerance, cancellation)
    bgr, seen = _blend(points, views.images, views.projections.astype(np.float32), scores)
    return Colours(bgr, seen)


def rated(
    points: Singles, normals: Singles, skin: Mesh, views: ViewSet, tolerance: float, cancellation: Cancellation
) -> Scores:
    """Return how well each view sees each point (n, V): cosine, times trust and detail, 0 (not at all) to 255."""
    scores = np.zeros((len(points), len(views)), np.uint8)
    projections = views.projections
    for view in range(len(views)):
        cancellation.raise_if_cancelled()
        depth, _ = rasterise(skin.vertices, skin.faces, projections[view], *views.masks.shape[1:])
        nearest = cv2.erode(depth, np.ones((NEIGHBOURHOOD_PX, NEIGHBOURHOOD_PX), np.uint8))
        covered = views.masks[view] & np.isfinite(depth).astype(np.uint8)
        inside_px = cv2.distanceTransform(covered, cv2.DIST_L2, 3)
        trust = np.clip(inside_px / EDGE_PX, 0.02, 1.0).astype(np.float32)
        if views.detail:
            trust *= np.float32(views.detail[view])
        centre = views.centres[view].astype(np.float32)
        _score(
            points, normals, projections[view].astype(np.float32), centre, np.asarray(nearest, np.float32), trust,
            np.float32(tolerance), scores[:, view],
        )  # fmt: skip
    return scores


@kernel()
def _score(
    points: Singles, normals: Singles, projection: Singles, centre: Singles, nearest: Singles, trust: Singles,
    tolerance: np.float32, scores: Scores,
) -> None:  # fmt: skip
    """How directly one view sees each point: cosine times trust, 0 (not) to 255."""
    height, width = nearest.shape
    p = projection
    for i in numba.prange(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        dx, dy, dz = centre[0] - x, centre[1] - y, centre[2] - z
        along = dx * normals[i, 0] + dy * normals[i, 1] + dz * normals[i, 2]
        cosine = along / np.sqrt(dx * dx + dy * dy + dz * dz)
        if cosine < LEAST_COSINE:
            continue
        w = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
        if w <= 0:
            continue
        u = (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / w
        v = (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / w
        if not (u >= 1 and v >= 1 and u < width - 2 and v < height - 2):
            continue
        column, row = int(u + 0.5), int(v + 0.5)
        if w > nearest[row, column] + tolerance / max(cosine, 0.3):
            continue
        scores[i] = np.uint8(max(1.0, 255 * cosine * trust[row, column]))


@kernel()
def _blend(
    points: Singles, images: NDArray[np.uint8], projections: Singles, scores: Scores
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Mix the best views; the best one left out sets the zero, so that views come and go without a seam."""
    count, views = scores.shape
    bgr = np.zeros((count, 3), np.uint8)
    seen = np.zeros(count, np.bool_)
    for i in numba.prange(count):
        best = np.zeros(BLENDED + 1, np.int32)
        which = np.full(BLENDED + 1, -1)
        for view in range(views):
            score = np.int32(scores[i, view])
            if score <= best[BLENDED]:
                continue
            slot = BLENDED
            while slot > 0 and best[slot - 1] < score:
                best[slot], which[slot] = best[slot - 1], which[slot - 1]
                slot -= 1
            best[slot], which[slot] = score, view
        if best[0] == 0:
            continue
        seen[i] = True
        floor = (best[BLENDED] / best[0]) ** SHARPNESS
        total, blue, green, red = 0.0, 0.0, 0.0, 0.0
        for slot in range(BLENDED):
            if best[slot] == 0:
                break
            weight = (best[slot] / best[0]) ** SHARPNESS - floor + 1e-4
            view = which[slot]
            x, y, z = points[i, 0], points[i, 1], points[i, 2]
            p = projections[view]
            w = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
            u = (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / w
            v = (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / w
            column, row = int(u), int(v)
            fu, fv = u - column, v - row
            a, b, c, d = (1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv
            m = images[view]
            total += weight
            blue += weight * (
                a * m[row, column, 0] + b * m[row, column + 1, 0]
                + c * m[row + 1, column, 0] + d * m[row + 1, column + 1, 0]
            )  # fmt: skip
            green += weight * (
                a * m[row, column, 1] + b * m[row, column + 1, 1]
                + c * m[row + 1, column, 1] + d * m[row + 1, column + 1, 1]
            )  # fmt: skip
            red += weight * (
                a * m[row, column, 2] + b * m[row, column + 1, 2]
                + c * m[row + 1, column, 2] + d * m[row + 1, column + 1, 2]
            )  # fmt: skip
        bgr[i, 0] = np.uint8(min(255.0, blue / total + 0.5))
        bgr[i, 1] = np.uint8(min(255.0, green / total + 0.5))
        bgr[i, 2] = np.uint8(min(255.0, red / total + 0.5))
    return bgr, seen
