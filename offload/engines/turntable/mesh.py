"""Triangle meshes as arrays: normals, neighbours, components, and whether the skin is closed."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from offload.engines.turntable.views import Floats, Mesh

Faces = NDArray[np.int32]


@dataclass(frozen=True)
class Skin:
    """How well closed a mesh is."""

    open_edges: int
    """Edges with one face."""
    crowded_edges: int
    """Edges with three faces or more, or with two that disagree about outside."""
    components: int

    @property
    def watertight(self) -> bool:
        """Closed, and every edge between exactly two faces that agree about outside."""
        return self.open_edges == 0 and self.crowded_edges == 0


def examine_skin(mesh: Mesh) -> Skin:
    """Count what keeps the mesh from being a closed, oriented manifold."""
    starts, ends = _directed_edges(mesh.faces)
    count = len(mesh.vertices)
    forward = np.unique(starts * count + ends, return_counts=True)
    backward_keys = np.unique(ends * count + starts)
    repeated = int((forward[1] > 1).sum())
    unmatched = int((~np.isin(forward[0], backward_keys, assume_unique=True)).sum())
    components = connected_components(adjacency(mesh.faces, count), directed=False)[0] if count else 0
    return Skin(open_edges=unmatched, crowded_edges=repeated, components=int(components))


def signed_volume(mesh: Mesh) -> float:
    """Return the enclosed volume, positive when the faces are counter-clockwise seen from outside."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def face_normals(mesh: Mesh) -> Floats:
    """Return (m, 3): outward, as long as twice the face's area."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.asarray(np.cross(b - a, c - a))


def vertex_normals(mesh: Mesh) -> Floats:
    """Return (n, 3) unit normals, the area-weighted mean over each vertex' faces."""
    per_face = face_normals(mesh)
    summed = np.zeros_like(mesh.vertices, dtype=np.float64)
    for axis in range(3):
        for corner in range(3):
            summed[:, axis] += np.bincount(mesh.faces[:, corner], per_face[:, axis], len(summed))
    return unit(summed)


def unit(vectors: Floats) -> Floats:
    """Scale each row to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def adjacency(faces: Faces, vertex_count: int) -> sparse.csr_matrix:
    """Return the (n, n) matrix with 1 where an edge joins two vertices."""
    starts, ends = _directed_edges(faces)
    ones = np.ones(2 * len(starts), np.float32)
    pairs = (np.concatenate([starts, ends]), np.concatenate([ends, starts]))
    joined = sparse.coo_matrix((ones, pairs), (vertex_count, vertex_count)).tocsr()
    joined.data[:] = 1
    return joined


def neighbour_mean(faces: Faces, vertex_count: int) -> sparse.csr_matrix:
    """Return the (n, n) matrix that gives each vertex the mean of its neighbours; I minus it is a Laplacian."""
    joined = adjacency(faces, vertex_count)
    degrees = np.asarray(joined.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(degrees, 1)) @ joined)


def smooth_normals(mesh: Mesh, mean: sparse.csr_matrix, rounds: int) -> Floats:
    """Return vertex normals, each averaged half and half with its neighbours `rounds` times."""
    normals = vertex_normals(mesh)
    for _ in range(rounds):
        normals = 0.5 * (normals + mean @ normals)
    return unit(normals)


def largest_component(mesh: Mesh) -> Mesh:
    """Keep the part with the largest enclosed volume and drop vertices that no face uses.

    By volume and not by faces, so that an inner cavity (negative volume) or a crumpled scrap never wins.
    """
    count = len(mesh.vertices)
    parts, labels = connected_components(adjacency(mesh.faces, count), directed=False)
    if parts <= 1:
        return mesh
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    volumes = np.bincount(labels[mesh.faces[:, 0]], np.einsum("ij,ij->i", a, np.cross(b, c)), parts)
    return keep_vertices(mesh, labels == int(np.argmax(volumes)))


def keep_vertices(mesh: Mesh, kept: NDArray[np.bool_]) -> Mesh:
    """Return the mesh of the faces whose three corners are all kept."""
    renumbered = np.cumsum(kept, dtype=np.int64) - 1
    faces = mesh.faces[kept[mesh.faces].all(axis=1)]
    return Mesh(mesh.vertices[kept], renumbered[faces].astype(np.int32))


def isosurface(field: NDArray[np.float32], origin: Floats, voxel: float) -> Mesh:
    """Return the surface where `field` (x, y, z; positive outside) is 0, closed even where the inside meets the edge.

    Raises ValueError when nothing is inside.
    """
    padded = np.pad(field, 1, constant_values=np.float32(voxel))
    # A value of exactly 0 makes triangles without area, whose edges then seem to have too many faces.
    nudge = np.float32(1e-3 * voxel)
    np.copyto(padded, np.where(padded < 0, -nudge, nudge), where=np.abs(padded) < nudge)
    if not (padded < 0).any():
        raise ValueError("no voxel lies inside the object")
    points, triangles, _, _ = marching_cubes(  # type: ignore[no-untyped-call]
        padded, 0.0, allow_degenerate=False
    )
    mesh = Mesh((points.astype(np.float64) - 1) * voxel + origin, triangles.astype(np.int32))
    return mesh if signed_volume(mesh) > 0 else Mesh(mesh.vertices, np.ascontiguousarray(mesh.faces[:, ::-1]))


def _directed_edges(faces: Faces) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts = np.concatenate([faces[:, 0], faces[:, 1], faces[:, 2]]).astype(np.int64)
    ends = np.concatenate([faces[:, 1], faces[:, 2], faces[:, 0]]).astype(np.int64)
    return starts, ends
