"""One colour from several cameras: a gain a camera and channel, so that what both see looks the same in both.

White balance and exposure differ from camera to camera. Levels are a power of the light, nearly, so a factor on the
light is one on the levels too.
"""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import Cancellation
from offload.engines.turntable.bake import Scores, Singles, rated
from offload.engines.turntable.mesh import vertex_normals
from offload.engines.turntable.raster import project
from offload.engines.turntable.views import Floats, Mesh, ViewSet

MOST_POINTS = 20_000
SEEN_WELL = 0.5
"""Of the score of a view that looks straight on: slanting ones see the lamps' reflections."""
DARKEST, BRIGHTEST = 16, 240
"""Levels between which a channel tells the light."""
LEAST_COMMON = 200
"""Points that two cameras must see well in common."""


def with_one_colour(views: ViewSet, skin: Mesh, tolerance: float, cancellation: Cancellation) -> Floats:
    """Change the pictures of all cameras in place to look like the first's; return the gains (C, 3), BGR.

    C is the number of cameras, in the order of their numbers. `tolerance` is how far behind `skin` a point may lie
    and still be seen. A camera that shares no place with the others stays as it is.
    """
    cameras = sorted(set(views.cameras))
    if len(cameras) < 2:
        return np.ones((max(len(cameras), 1), 3))
    levels = _levels(views, skin, cameras, tolerance, cancellation)
    gains = _gains(levels)
    for camera, gain in zip(cameras, gains, strict=True):
        table = np.clip(np.arange(256)[:, None] * gain + 0.5, 0, 255).astype(np.uint8)[None]
        for view in np.flatnonzero(np.array(views.cameras) == camera) if not np.allclose(gain, 1) else ():
            views.images[view] = cv2.LUT(views.images[view], table)
    return gains


def _levels(views: ViewSet, skin: Mesh, cameras: list[int], tolerance: float, cancellation: Cancellation) -> Singles:
    """(C, n, 3): what each camera's best view shows at points of the skin; NaN where it sees none well."""
    every = max(1, len(skin.vertices) // MOST_POINTS)
    points = skin.vertices[::every].astype(np.float32)
    normals = vertex_normals(skin)[::every].astype(np.float32)
    scores = rated(points, normals, skin, views, tolerance, cancellation)
    levels = np.full((len(cameras), len(points), 3), np.nan, np.float32)
    for number, camera in enumerate(cameras):
        own = np.flatnonzero(np.array(views.cameras) == camera)
        best = own[np.argmax(scores[:, own], axis=1)]
        for view in own:
            here = np.flatnonzero((best == view) & _well_seen(scores[:, view], views, int(view)))
            levels[number, here] = _sampled(views.images[view], project(points[here], views.projections[view]))
    told = (levels > DARKEST) & (levels < BRIGHTEST)
    return np.where(told.all(axis=2, keepdims=True), levels, np.nan).astype(np.float32)


def _well_seen(scores: Scores, views: ViewSet, view: int) -> NDArray[np.bool_]:
    detail = views.detail[view] if views.detail else 1.0
    return np.asarray(scores >= SEEN_WELL * 255 * detail)


def _sampled(image: NDArray[np.uint8], at: Floats) -> Singles:
    """(n, 3) at pixels (n, 2 or more), each the mean around it: two photos never meet to the pixel."""
    smooth = cv2.blur(image, (5, 5))
    columns, rows = np.round(at[:, 0]).astype(np.int64), np.round(at[:, 1]).astype(np.int64)
    return np.asarray(smooth[rows, columns], np.float32)


def _gains(levels: Singles) -> Floats:
    """(C, 3): least squares over all pairs of cameras of the median log ratio, the first camera's gain being 1."""
    count = len(levels)
    rows, ratios, weights = [], [], []
    for one, other in itertools.combinations(range(count), 2):
        common = np.isfinite(levels[one]).all(axis=1) & np.isfinite(levels[other]).all(axis=1)
        if common.sum() < LEAST_COMMON:
            continue
        row = np.zeros(count)
        row[one], row[other] = -1, 1
        rows.append(row)
        ratios.append(np.median(np.log(levels[one][common] / levels[other][common]), axis=0))
        weights.append(np.sqrt(common.sum()))
    if not rows:
        return np.ones((count, 3))
    weight = np.array(weights)[:, None]
    # The least of all solutions leaves alone what no pair reaches.
    logs = np.zeros((count, 3))
    free = np.array(rows)[:, 1:] * weight
    logs[1:] = np.linalg.lstsq(free, np.array(ratios) * weight, rcond=None)[0]
    return np.exp(logs)
