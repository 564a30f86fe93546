"""How true a reconstruction is: the bench knows the thing that it photographed.

Everything is in the mat's frame in millimetres, in which the thing's own vertices are given; nothing is aligned, so
an error of pose or scale counts. Distances are exact, from points spread evenly over one surface to the triangles of
the other. What lies less than a millimetre above the platter cannot be photographed and does not count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.surface import Surface
from drivers.bench.scene import SceneObject
from drivers.bench.triangles import TriangleSoup, spread_points

_SAMPLES = 100_000
_FLOOR_MM = 1.0
_LEAST_VIEWS = 2
_GRAZING_COSINE = 0.17
"""A surface seen flatter than 80 degrees from its normal does not count as seen."""
_LIFT_MM = 0.05

Points = NDArray[np.float64]


@dataclass(frozen=True)
class ViewPoint:
    """A camera as the judge needs it: K (3, 3), R (3, 3) and t (3,) from the mat's frame, and the photo's size."""

    K: Points
    R: Points
    t: Points
    width_px: int
    height_px: int

    @property
    def centre_mm(self) -> Points:
        """The lens's centre in the mat's frame."""
        return np.asarray(-self.R.T @ self.t)


@dataclass(frozen=True)
class Judgement:
    """Accuracy: from reconstruction to truth. Completeness: from truth to reconstruction. Shares are 0 to 1."""

    accuracy_mean_mm: float
    accuracy_p95_mm: float
    completeness_mean_mm: float
    completeness_p95_mm: float
    f_score_0p5mm: float
    f_score_1mm: float
    visible_within_1mm: float
    """Share of the true surface seen by two views or more that the reconstruction meets within 1 mm."""
    scale_error_percent: float | None
    """Of the estimated camera ring beside the true one; None when no estimated cameras were given."""
    watertight: bool


def judge(
    vertices_mm: Points,
    faces: NDArray[np.integer],
    thing: SceneObject,
    cameras: list[ViewPoint],
    estimated_centres_mm: Points | None = None,
) -> Judgement:
    """Compare a reconstruction (n, 3), (m, 3) with the thing that stood on the mat.

    `cameras` are the true ones; `estimated_centres_mm` (views, 3) the reconstruction's, in the same order.
    """
    if len(faces) == 0:
        raise ValueError("the reconstruction has no triangles; there is nothing to compare")
    truth = TriangleSoup.of(thing.vertices_mm, thing.faces)
    found = TriangleSoup.of(vertices_mm, faces)
    accuracy_mm = truth.distances(_above_floor(spread_points(found, _SAMPLES, seed=1))[0])
    points, normals = _above_floor(spread_points(truth, _SAMPLES, seed=2))
    completeness_mm = found.distances(points)
    seen = _is_seen(points, normals, thing, cameras)
    return Judgement(
        float(accuracy_mm.mean()),
        float(np.percentile(accuracy_mm, 95)),
        float(completeness_mm.mean()),
        float(np.percentile(completeness_mm, 95)),
        _f_score(accuracy_mm, completeness_mm, 0.5),
        _f_score(accuracy_mm, completeness_mm, 1.0),
        float((completeness_mm[seen] < 1.0).mean()) if seen.any() else 0.0,
        None if estimated_centres_mm is None else scale_error_percent(cameras, estimated_centres_mm),
        is_watertight(vertices_mm, faces),
    )


def scale_error_percent(cameras: list[ViewPoint], estimated_centres_mm: Points) -> float:
    """Return by how much the estimated ring of cameras is too large (positive) or too small."""
    true_mm = np.array([camera.centre_mm for camera in cameras])
    if len(true_mm) != len(estimated_centres_mm):
        raise ValueError(
            f"{len(estimated_centres_mm)} estimated cameras for {len(true_mm)} true ones; give them in pairs"
        )
    return float((_spread_mm(np.asarray(estimated_centres_mm)) / _spread_mm(true_mm) - 1) * 100)


def is_watertight(vertices_mm: Points, faces: NDArray[np.integer]) -> bool:
    """Return whether every edge joins exactly two faces, once in each direction; equal places count as one."""
    _, place = np.unique(np.asarray(vertices_mm), axis=0, return_inverse=True)
    corners = place.reshape(-1)[np.asarray(faces, dtype=np.int64)]
    ahead = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    count = int(corners.max()) + 1
    forward, times = np.unique(ahead[:, 0] * count + ahead[:, 1], return_counts=True)
    backward = np.unique(ahead[:, 1] * count + ahead[:, 0])
    return bool((times == 1).all() and np.array_equal(forward, backward))


def _is_seen(points: Points, normals: Points, thing: SceneObject, cameras: list[ViewPoint]) -> NDArray[np.bool_]:
    """Return which points enough cameras have in their photo, facing them and with nothing before them."""
    surface = Surface(thing.vertices_mm, thing.faces)
    views = np.zeros(len(points), np.int64)
    for camera in cameras:
        unsure = np.flatnonzero(views < _LEAST_VIEWS)
        at, normal = points[unsure], normals[unsure]
        seen = at @ camera.R.T + camera.t
        pixel = seen @ camera.K.T
        pixel = pixel[:, :2] / np.maximum(pixel[:, 2:], 1e-9)
        toward = camera.centre_mm - at
        cosine = np.einsum("nk,nk->n", toward, normal) / np.linalg.norm(toward, axis=1)
        inside = ((pixel >= 0) & (pixel < [camera.width_px, camera.height_px])).all(axis=1)
        candidates = np.flatnonzero(inside & (seen[:, 2] > 0) & (cosine > _GRAZING_COSINE))
        lifted = (at[candidates] + _LIFT_MM * normal[candidates]).astype(np.float32)
        aim = camera.centre_mm.astype(np.float32) - lifted
        views[unsure[candidates]] += surface.is_clear(lifted, aim)
    return np.asarray(views >= _LEAST_VIEWS)


def _above_floor(points_and_normals: tuple[Points, Points]) -> tuple[Points, Points]:
    points, normals = points_and_normals
    above = points[:, 2] > _FLOOR_MM
    if not above.any():
        raise ValueError(f"nothing of the surface is higher than {_FLOOR_MM} mm above the platter; check the frame")
    return points[above], normals[above]


def _f_score(accuracy_mm: Points, completeness_mm: Points, within_mm: float) -> float:
    precision, recall = float((accuracy_mm < within_mm).mean()), float((completeness_mm < within_mm).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _spread_mm(centres_mm: Points) -> float:
    return float(np.sqrt(((centres_mm - centres_mm.mean(axis=0)) ** 2).sum(axis=1).mean()))
