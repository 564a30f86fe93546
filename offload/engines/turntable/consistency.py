"""Which depths other views confirm, and which they contradict."""

import numba
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.jit import kernel
from offload.engines.turntable.neighbours import Ids
from offload.engines.turntable.sweep import DepthMaps, Maps


def weigh_depths(maps: DepthMaps, neighbours: Ids, tolerance: float, witnesses: int = 2) -> Maps:
    """Return a weight (V, h, w) for every depth, 0 where it is not believed.

    A depth is believed when at least `witnesses` neighbours measured the same place within `tolerance` along their
    own axes and fewer look through it (measured something farther by twice the tolerance or more). Its weight is the
    inverse variance, relative to `tolerance`, of a measurement that errs at least a tenth of the tolerance.
    """
    return _weigh(
        maps.depth,
        maps.sigma,
        maps.projections.astype(np.float32),
        np.linalg.inv(maps.K).astype(np.float32),
        maps.R.astype(np.float32),
        maps.t.astype(np.float32),
        neighbours,
        np.float32(tolerance),
        min(witnesses, max(1, int((neighbours >= 0).sum(axis=1).min()))),
    )


@kernel()
def _weigh(
    depth: Maps,
    sigma: Maps,
    projections: NDArray[np.float32],
    inverses: NDArray[np.float32],
    rotations: NDArray[np.float32],
    translations: NDArray[np.float32],
    neighbours: Ids,
    tolerance: np.float32,
    witnesses: int,
) -> Maps:
    views, rows, columns = depth.shape
    weight = np.zeros((views, rows, columns), np.float32)
    for job in numba.prange(views * rows):
        view, row = job // rows, job % rows
        inverse, rotation, translation = inverses[view], rotations[view], translations[view]
        for column in range(columns):
            z = depth[view, row, column]
            if z <= 0:
                continue
            a = (inverse[0, 0] * column + inverse[0, 1] * row + inverse[0, 2]) * z - translation[0]
            b = (inverse[1, 1] * row + inverse[1, 2]) * z - translation[1]
            c = z - translation[2]
            x = rotation[0, 0] * a + rotation[1, 0] * b + rotation[2, 0] * c
            y = rotation[0, 1] * a + rotation[1, 1] * b + rotation[2, 1] * c
            h = rotation[0, 2] * a + rotation[1, 2] * b + rotation[2, 2] * c
            agree, against = 0, 0
            for n in range(neighbours.shape[1]):
                other = neighbours[view, n]
                if other < 0:
                    continue
                p = projections[other]
                away = p[2, 0] * x + p[2, 1] * y + p[2, 2] * h + p[2, 3]
                u = int((p[0, 0] * x + p[0, 1] * y + p[0, 2] * h + p[0, 3]) / away + np.float32(0.5))
                v = int((p[1, 0] * x + p[1, 1] * y + p[1, 2] * h + p[1, 3]) / away + np.float32(0.5))
                if u < 0 or v < 0 or u >= columns or v >= rows or depth[other, v, u] <= 0:
                    continue
                behind = depth[other, v, u] - away
                if abs(behind) < tolerance:
                    agree += 1
                elif behind > 2 * tolerance:
                    against += 1
            if agree >= witnesses and agree > against:
                spread = sigma[view, row, column] / tolerance
                weight[view, row, column] = 1 / (spread * spread + np.float32(0.01))
    return weight
