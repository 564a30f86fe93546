"""A triangle mesh that rays can hit."""

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats

_CREASE_COSINE = 0.75
"""Where the smooth normal of a corner is further from the face's than this, the edge is meant to be sharp."""


@dataclass(frozen=True)
class Hits:
    """Where rays met the surface first; only the rays that did."""

    ray: NDArray[np.int64]
    """(n,): which ray."""
    distance: Floats
    """(n,): in lengths of the ray's direction."""
    face: NDArray[np.int32]
    corners: Floats
    """(n, 3): how much each of the face's corners counts."""
    points_mm: Floats

    def only(self, chosen: NDArray[np.int64]) -> "Hits":
        """Return some of the hits."""
        return Hits(
            self.ray.take(chosen),
            self.distance.take(chosen),
            self.face.take(chosen),
            self.corners.take(chosen, axis=0),
            self.points_mm.take(chosen, axis=0),
        )

    def blend(self, per_face: Floats) -> Floats:
        """Return (n, k) from values at the corners of every face, (faces, 3, k)."""
        values = per_face.take(self.face, axis=0)
        return np.asarray(np.einsum("nc,nck->nk", self.corners, values))


class Surface:
    """Vertices (n, 3) in millimetres and faces (m, 3), counter-clockwise seen from outside."""

    def __init__(self, vertices_mm: Floats, faces: NDArray[np.uint32]) -> None:
        self.vertices_mm = np.ascontiguousarray(vertices_mm, dtype=np.float32)
        self.faces = np.ascontiguousarray(faces, dtype=np.int32)
        self._scene = EmbreeScene()
        self._mesh = TriangleMesh(self._scene, self.vertices_mm, self.faces)
        low, high = self.vertices_mm.min(axis=0), self.vertices_mm.max(axis=0)
        self.reach_mm = float(np.linalg.norm(np.maximum(np.abs(low), np.abs(high))))
        corners = self.vertices_mm[self.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        self.face_areas_mm2 = np.linalg.norm(across, axis=1) / 2
        self._face_normals = _unit(across)
        smooth = _smooth_normals(self.vertices_mm, self.faces, across)[self.faces]
        flat = np.broadcast_to(self._face_normals[:, None], smooth.shape)
        creased = np.einsum("mck,mck->mc", smooth, flat) < _CREASE_COSINE
        smooth[creased] = flat[creased]
        self._corner_normals = smooth

    def cast(self, origin_mm: Floats, directions: Floats) -> Hits:
        """Send one ray along each of (n, 3) directions from one origin (3,) or from n of them."""
        origins = np.broadcast_to(np.asarray(origin_mm, dtype=np.float32), directions.shape)
        answer = self._scene.run(origins, directions, output=1)
        ray = np.flatnonzero(answer["primID"] >= 0)
        distance = answer["tfar"][ray]
        second, third = answer["u"][ray], answer["v"][ray]
        corners = np.stack([1 - second - third, second, third], axis=1)
        points = origins[ray] + directions[ray] * distance[:, None]
        return Hits(ray, distance, answer["primID"][ray], corners, points)

    def is_clear(self, origins_mm: Floats, directions: Floats) -> NDArray[np.bool_]:
        """Return for each ray whether it meets nothing."""
        if len(origins_mm) == 0:
            return np.zeros(0, np.bool_)
        answer = self._scene.run(origins_mm, directions, query="OCCLUDED")
        return np.asarray(answer == -1)

    def normals(self, hits: Hits, toward: Floats) -> tuple[Floats, Floats]:
        """Return unit normals, smooth and of the faces, both on the side that the rays (n, 3) come from."""
        flat = self._face_normals[hits.face]
        smooth = _unit(hits.blend(self._corner_normals))
        behind = np.where(np.einsum("nk,nk->n", flat, toward) > 0, np.float32(-1), np.float32(1))[:, None]
        return smooth * behind, flat * behind


def _unit(vectors: Floats) -> Floats:
    length = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-20)[:, None], dtype=np.float32)


def _smooth_normals(vertices_mm: Floats, faces: NDArray[np.int32], across: Floats) -> Floats:
    """Return (n, 3): the mean of the faces around each place, weighted by area; seams of a texture do not show."""
    place = _places(vertices_mm)
    corner_places = place[faces].T.reshape(-1)
    sums = [np.bincount(corner_places, np.tile(across[:, axis], 3), place.max() + 1) for axis in range(3)]
    return _unit(np.stack(sums, axis=1).astype(np.float32))[place]


def _places(vertices_mm: Floats) -> NDArray[np.int64]:
    """Return (n,): the same number for vertices at the same place."""
    rows = np.ascontiguousarray(vertices_mm + np.float32(0.0)).view(np.uint32).astype(np.uint64)  # no negative zero
    key = rows[:, 0] * np.uint64(0x9E3779B97F4A7C15) + rows[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    key = (key ^ (key >> np.uint64(29))) * np.uint64(0x165667B19E3779F9) + rows[:, 2]
    return np.asarray(np.unique(key, return_inverse=True)[1]).reshape(-1)
