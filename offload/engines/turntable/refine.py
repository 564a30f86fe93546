"""The last tenths of a millimetre: every vertex slides along its normal to where the photos agree best.

Photos, outlines and smoothness each say where a vertex should go and how sure they are; one sparse linear system
weighs them, a few times over.
"""

from dataclasses import dataclass

import numba
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import cg

from offload.engines.turntable.jit import kernel
from offload.engines.turntable.mesh import neighbour_mean, smooth_normals
from offload.engines.turntable.pictures import Greys, Pictures
from offload.engines.turntable.raster import rasterise, sample_visibility
from offload.engines.turntable.sweep import INDEPENDENT_SAMPLES, MISFIT
from offload.engines.turntable.views import Floats, Mesh

BEST_VIEWS = 5
INDEPENDENT_PAIRS = 4
"""How many pairs of views err independently; all share the patch's place and its tilt."""
SHARPEST_CAP = 0.6
"""Radius of a cap over the skin's radius of curvature: beyond, the bend is noise."""
STEEPEST_COSINE = 0.3
"""Views that see a place more slantingly are not asked."""


@dataclass(frozen=True)
class Advice:
    """How far along its normal each vertex should go, and how sure that is (inverse variance), both (n,)."""

    shift: Floats
    certainty: Floats


def see_vertices(
    mesh: Mesh, pictures: Pictures, normals: Floats, tolerance: float, shrink: int = 2
) -> NDArray[np.int32]:
    """Return (n, BEST_VIEWS) the views that see each vertex most squarely, -1 where there are fewer."""
    eyes = -np.einsum("vji,vj->vi", pictures.R, pictures.t)
    cosines = np.full((len(pictures), len(mesh.vertices)), -1, np.float32)
    smaller = np.diag([1 / shrink, 1 / shrink, 1.0])
    height, width = pictures.grey.shape[1] // shrink, pictures.grey.shape[2] // shrink
    for view, projection in enumerate(pictures.projections):
        depth, _ = rasterise(mesh.vertices, mesh.faces, smaller @ projection, height, width)
        seen = sample_visibility(mesh.vertices, smaller @ projection, depth, tolerance)
        towards = eyes[view] - mesh.vertices[seen]
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        cosines[view, seen] = np.einsum("ij,ij->i", towards, normals[seen])
    best = np.argsort(-cosines, axis=0)[:BEST_VIEWS].T.astype(np.int32)
    rows = np.arange(len(best))[:, None]
    best[cosines[best, rows] < STEEPEST_COSINE] = -1
    if best.shape[1] < BEST_VIEWS:
        best = np.pad(best, ((0, 0), (0, BEST_VIEWS - best.shape[1])), constant_values=-1)
    return np.ascontiguousarray(best)


def ask_photos(
    mesh: Mesh,
    normals: Floats,
    curvature: Floats,
    pictures: Pictures,
    best: NDArray[np.int32],
    radius: float,
    step: float,
) -> Advice:
    """Compare the photos on a small cap at each vertex, at `step` before, on and behind it along the normal.

    The cap is bent like the skin: a plane would settle inside of a bulge by half the sag of its rim.

    The score is the mean normalised cross-correlation over pairs of views; its parabola gives the shift (at most 1.5
    steps) and, as in the sweep, its bend the certainty.
    """
    scores = _score_places(
        mesh.vertices.astype(np.float32),
        normals.astype(np.float32),
        np.clip(curvature, -SHARPEST_CAP / radius, SHARPEST_CAP / radius).astype(np.float32),
        pictures.grey,
        pictures.projections.astype(np.float32),
        best,
        np.float32(radius),
        np.float32(step),
        np.float32(pictures.noise_grey**2),
    ).astype(np.float64)
    before, here, behind = scores.T
    bend = 2 * here - before - behind
    slope = (behind - before) / 2
    shift = np.where(bend > 1e-3, slope / np.maximum(bend, 1e-3), np.sign(slope) * 1.5)
    shift = np.clip(shift, -1.5, 1.5) * step
    peak = here + 0.5 * slope * np.clip(slope / np.maximum(bend, 1e-3), -1, 1)
    variance = step**2 * 2 * (1 - peak + MISFIT) / (INDEPENDENT_PAIRS * INDEPENDENT_SAMPLES * np.maximum(bend, 1e-3))
    believable = (here > -1) & (peak > 0.4)
    return Advice(np.where(believable, shift, 0.0), np.where(believable, 1 / (variance + (0.1 * step) ** 2), 0.0))


@dataclass(frozen=True)
class Fairness:
    """The skin's own wish: that each vertex lies at the mean of its neighbours, twice over (a thin plate)."""

    plate: sparse.csr_matrix
    mean: sparse.csr_matrix

    @classmethod
    def of(cls, mesh: Mesh) -> "Fairness":
        """Prepare for a mesh whose vertices will move and whose faces stay."""
        mean = neighbour_mean(mesh.faces, len(mesh.vertices))
        bend = sparse.identity(len(mesh.vertices), format="csr") - mean
        return cls(sparse.csr_matrix(bend.T @ bend), mean)

    def settle(self, vertices: Floats, normals: Floats, advice: Advice, stiffness: float) -> Floats:
        """Return the shift along the normals (n,) that serves advice and stiffness best, by least squares."""
        wish = -stiffness * np.einsum("ij,ij->i", np.asarray(self.plate @ vertices), normals)
        right = advice.certainty * advice.shift + wish
        system = sparse.diags(advice.certainty) + stiffness * self.plate
        jacobi = sparse.diags(1 / system.diagonal())
        shift, _ = cg(system, right, x0=advice.shift, M=jacobi, rtol=1e-3, maxiter=40)
        return np.asarray(shift)

    def relax_along(self, vertices: Floats, normals: Floats, share: float) -> Floats:
        """Even the triangles out: move vertices within the surface towards their neighbours' mean."""
        towards = np.asarray(self.mean @ vertices) - vertices
        along = towards - normals * np.einsum("ij,ij->i", towards, normals)[:, None]
        return np.asarray(vertices + share * along)


def combine(*advices: Advice) -> Advice:
    """Weigh independent advice by its certainty."""
    certainty = np.sum([a.certainty for a in advices], axis=0)
    shift = np.sum([a.certainty * a.shift for a in advices], axis=0) / np.maximum(certainty, 1e-12)
    return Advice(shift, certainty)


def prepare_normals(mesh: Mesh, fairness: Fairness) -> Floats:
    """Return normals smooth enough to slide along without crossing."""
    return smooth_normals(mesh, fairness.mean, 3)


def mean_curvature(mesh: Mesh, normals: Floats, fairness: Fairness, rounds: int = 3) -> Floats:
    """Return the mean curvature (n,), positive where the skin bulges outwards, averaged over rings of neighbours.

    A paraboloid of curvature k falls by k e² / 2 at a distance e, and so does the mean of a vertex' neighbours.
    """
    mean = fairness.mean
    fall = np.einsum("ij,ij->i", mesh.vertices - np.asarray(mean @ mesh.vertices), normals)
    squares = np.einsum("ij,ij->i", mesh.vertices, mesh.vertices)
    edges = squares + mean @ squares - 2 * np.einsum("ij,ij->i", mesh.vertices, np.asarray(mean @ mesh.vertices))
    for _ in range(rounds):
        fall, edges = mean @ fall, mean @ edges
    return np.asarray(2 * fall / np.maximum(edges, 1e-12))


@kernel()
def _score_places(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    curvature: NDArray[np.float32],
    pictures: Greys,
    projections: NDArray[np.float32],
    best: NDArray[np.int32],
    radius: np.float32,
    step: np.float32,
    noise: np.float32,
) -> NDArray[np.float32]:
    half, most = 3, best.shape[1]
    samples = (2 * half + 1) ** 2
    slope_squares = np.float32((2 * half + 1) * half * (half + 1) * (2 * half + 1) / 3)
    height, width = pictures.shape[1:]
    scores = np.full((vertices.shape[0], 3), np.float32(-1))
    for i in numba.prange(vertices.shape[0]):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        if abs(nz) < np.float32(0.9):
            tx, ty, tz = -ny, nx, np.float32(0)
        else:
            tx, ty, tz = np.float32(0), -nz, ny
        length = np.sqrt(tx * tx + ty * ty + tz * tz)
        tx, ty, tz = tx / length, ty / length, tz / length
        bx, by, bz = ny * tz - nz * ty, nz * tx - nx * tz, nx * ty - ny * tx
        spacing = radius / np.float32(half)
        total = np.empty(samples, np.float32)
        patch = np.empty(samples, np.float32)
        for place in range(3):
            away = np.float32(place - 1) * step
            x, y, z = vertices[i, 0] + nx * away, vertices[i, 1] + ny * away, vertices[i, 2] + nz * away
            total[:] = 0
            own, used = np.float32(0), 0
            for k in range(most):
                view = best[i, k]
                if view < 0:
                    break
                p = projections[view]
                pw = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
                pu = (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / pw
                pv = (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / pw
                # The patch is a hundredth of the distance: affine is exact to a thousandth of a pixel.
                tw = p[2, 0] * tx + p[2, 1] * ty + p[2, 2] * tz
                bw = p[2, 0] * bx + p[2, 1] * by + p[2, 2] * bz
                tu = (p[0, 0] * tx + p[0, 1] * ty + p[0, 2] * tz - pu * tw) / pw * spacing
                tv = (p[1, 0] * tx + p[1, 1] * ty + p[1, 2] * tz - pv * tw) / pw * spacing
                bu = (p[0, 0] * bx + p[0, 1] * by + p[0, 2] * bz - pu * bw) / pw * spacing
                bv = (p[1, 0] * bx + p[1, 1] * by + p[1, 2] * bz - pv * bw) / pw * spacing
                nw = p[2, 0] * nx + p[2, 1] * ny + p[2, 2] * nz
                sag = np.float32(-0.5) * curvature[i] * spacing * spacing
                nu = (p[0, 0] * nx + p[0, 1] * ny + p[0, 2] * nz - pu * nw) / pw * sag
                nv = (p[1, 0] * nx + p[1, 1] * ny + p[1, 2] * nz - pv * nw) / pw * sag
                reach_u = half * (abs(tu) + abs(bu)) + 2 * half * half * abs(nu)
                reach_v = half * (abs(tv) + abs(bv)) + 2 * half * half * abs(nv)
                if not (
                    pu > reach_u and pv > reach_v and pu + reach_u < width - 1.01 and pv + reach_v < height - 1.01
                ):
                    continue
                picture = pictures[view]
                mean, s = np.float32(0), 0
                along_a, along_b = np.float32(0), np.float32(0)
                for a in range(-half, half + 1):
                    for b in range(-half, half + 1):
                        away_squared = np.float32(a * a + b * b)
                        su = pu + a * tu + b * bu + away_squared * nu
                        sv = pv + a * tv + b * bv + away_squared * nv
                        column, row = int(su), int(sv)
                        fu, fv = su - np.float32(column), sv - np.float32(row)
                        upper = picture[row, column] + fu * (picture[row, column + 1] - picture[row, column])
                        lower = picture[row + 1, column] + fu * (
                            picture[row + 1, column + 1] - picture[row + 1, column]
                        )
                        value = upper + fv * (lower - upper)
                        patch[s] = value
                        mean += value
                        along_a += value * a
                        along_b += value * b
                        s += 1
                mean /= samples
                # Without its slope too: that is shading as often as paint, and shading stays with the light.
                along_a, along_b = along_a / slope_squares, along_b / slope_squares
                squares, s = np.float32(0), 0
                for a in range(-half, half + 1):
                    for b in range(-half, half + 1):
                        patch[s] -= mean + along_a * a + along_b * b
                        squares += patch[s] * patch[s]
                        s += 1
                gain = 1 / np.sqrt(squares + samples * noise)
                own += squares * gain * gain
                for s in range(samples):
                    total[s] += patch[s] * gain
                used += 1
            if used < 2:
                continue
            together = np.float32(0)
            for s in range(samples):
                together += total[s] * total[s]
            # |sum|² holds every pair twice and each patch with itself once.
            scores[i, place] = (together - own) / (used * (used - 1))
    return scores
