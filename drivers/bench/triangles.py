"""Points on triangles, and exact distances to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

_NEXT_SIZE = 6.0
_AT_ONCE = 200_000
"""Pairs of point and triangle held in memory together."""


@dataclass(frozen=True)
class TriangleSoup:
    """Triangles by their corners, (m, 3, 3), millimetres; none of them without area."""

    corners_mm: Points

    @staticmethod
    def of(vertices_mm: NDArray[np.floating], faces: NDArray[np.integer]) -> "TriangleSoup":
        """Take the triangles of a mesh that have an area."""
        corners = np.asarray(vertices_mm, dtype=np.float64)[np.asarray(faces, dtype=np.int64)]
        return TriangleSoup(corners[_areas(corners) > 1e-12])

    def distances(self, points_mm: Points) -> Points:
        """Return (n,): the exact distance of each point to the nearest triangle.

        All of a triangle lies within its reach around its centroid. So once the k-th nearest centroid is further
        than the best distance plus the largest reach, no other triangle can be nearer. Triangles are taken in
        classes of size, so that a few large ones do not keep the search among the small ones open.
        """
        centroids = self.corners_mm.mean(axis=1)
        reach = np.linalg.norm(self.corners_mm - centroids[:, None], axis=2).max(axis=1)
        size_class = np.maximum(np.ceil(np.log(reach / np.percentile(reach, 90)) / np.log(_NEXT_SIZE)), 0)
        best = np.full(len(points_mm), np.inf)
        for kind in np.unique(size_class):
            members = np.flatnonzero(size_class == kind)
            self._lower(best, points_mm, members, centroids[members], float(reach[members].max()))
        return best

    def _lower(self, best: Points, points: Points, members: Indices, centroids: Points, reach: float) -> None:
        """Lower `best` to the distances from triangles of about one size, none of which reaches beyond `reach`."""
        tree = cKDTree(centroids, balanced_tree=False, compact_nodes=False)  # quicker to build, hardly slower to ask
        undecided, known, wanted = np.arange(len(points)), 0, 4
        while len(undecided):
            wanted = min(wanted, len(members))
            still_undecided = []
            for chosen in np.array_split(undecided, -(-len(undecided) * wanted // _AT_ONCE)):
                away, which = tree.query(points[chosen], k=np.arange(known + 1, wanted + 1))
                owner = np.repeat(chosen, which.shape[1])
                nearest = _distances(points[owner], self.corners_mm[members[which.reshape(-1)]])
                best[chosen] = np.minimum(best[chosen], nearest.reshape(which.shape).min(axis=1))
                still_undecided.append(chosen[away[:, -1] - reach < best[chosen]])
            known, wanted = wanted, wanted * 4
            undecided = np.concatenate(still_undecided) if known < len(members) else undecided[:0]


def spread_points(soup: TriangleSoup, count: int, seed: int) -> tuple[Points, Points]:
    """Return points (count, 3) spread evenly over the triangles by chance, and the triangles' normals there."""
    rng = np.random.default_rng(seed)
    areas = _areas(soup.corners_mm)
    # in the mesh's own order, neighbours stay together: searches near them find the cache warm
    triangle = np.sort(rng.choice(len(areas), size=count, p=areas / areas.sum()))
    corners = soup.corners_mm[triangle]
    first, second = np.sqrt(rng.random(count)), rng.random(count)
    shares = np.stack([1 - first, first * (1 - second), first * second], axis=1)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.einsum("nc,nck->nk", shares, corners), across / np.linalg.norm(across, axis=1, keepdims=True)


def _areas(corners: Points) -> Points:
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(across, axis=1) / 2)


def _distances(points: Points, corners: Points) -> Points:
    """Return the distance from each point to its own triangle: to its plane above it, else to an edge.

    With p, u, v from the first corner to the point and the other corners, all follows from the six dot products.
    """
    p, u, v = points - corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    pp, pu, pv = _dot(p, p), _dot(p, u), _dot(p, v)
    uu, uv, vv = _dot(u, u), _dot(u, v), _dot(v, v)
    area = np.maximum(uu * vv - uv * uv, 1e-300)
    along_u, along_v = (vv * pu - uv * pv) / area, (uu * pv - uv * pu) / area
    above = (along_u >= 0) & (along_v >= 0) & (along_u + along_v <= 1)
    third = uu + vv - 2 * uv
    squared = np.minimum(_to_edge(pp, pu, uu), _to_edge(pp, pv, vv))
    squared = np.minimum(squared, _to_edge(pp - 2 * pu + uu, pv - pu - uv + uu, third))
    squared = np.where(above, pp - along_u * pu - along_v * pv, squared)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _to_edge(out: Points, product: Points, edge: Points) -> Points:
    """Return the squared distance to an edge from |point - start|², (point - start)·(end - start), |end - start|²."""
    share = np.clip(product / edge, 0, 1)
    return np.asarray(out - 2 * share * product + share * share * edge)


def _dot(first: Points, second: Points) -> Points:
    return np.asarray(np.einsum("nk,nk->n", first, second))
