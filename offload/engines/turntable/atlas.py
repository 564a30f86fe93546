"""Simplify a mesh and lay its skin flat."""

from dataclasses import dataclass

import fast_simplification
import numpy as np
import xatlas
from numpy.typing import NDArray

from offload.engines.turntable.mesh import examine_skin, face_normals
from offload.engines.turntable.views import Floats, Mesh

CHARTS = 100
"""Charts' area is limited to about this fraction: flattening a chart costs more than linearly in its size."""
TRIANGLES_A_CHART = 600
PADDING_TEXELS = 2


@dataclass(frozen=True)
class Atlas:
    """A mesh whose vertices were doubled along the seams."""

    mesh: Mesh
    uv: Floats
    """(n, 2), 0 to 1, v downwards as rows of the texture go."""
    source: NDArray[np.int64]
    """(n,): the vertex of the closed mesh that each vertex is a copy of."""


def simplified(mesh: Mesh, triangles: int) -> Mesh:
    """Return about this many triangles; closed if the mesh is, where collapsing allows it."""
    if len(mesh.faces) <= triangles:
        return mesh
    tried: Mesh | None = None
    scale = _handy_scale(mesh)
    was_closed = examine_skin(mesh).watertight
    for aggression in (5, 2):
        reduction = 1.0 - triangles / len(mesh.faces)
        points, faces = fast_simplification.simplify(
            (mesh.vertices * scale).astype(np.float32), mesh.faces.astype(np.int32), reduction, agg=aggression
        )
        tried = _used_only(Mesh(points.astype(np.float64) / scale, faces.astype(np.int32)))
        if not was_closed or examine_skin(tried).watertight:
            return tried
    assert tried is not None
    return tried


def _handy_scale(mesh: Mesh) -> float:
    """A factor that makes the mesh about 100 long: in metres, the libraries take its triangles for points."""
    return 100.0 / max(float(np.ptp(mesh.vertices, axis=0).max()), 1e-12)


def _used_only(mesh: Mesh) -> Mesh:
    """Drop vertices that no face uses and faces with a corner twice."""
    a, b, c = mesh.faces.T
    faces = mesh.faces[(a != b) & (b != c) & (c != a)]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[used], renumbered.reshape(-1, 3).astype(np.int32))


def unwrap(mesh: Mesh, texture_px: int) -> Atlas:
    """Cut the skin into charts and pack them into a square."""
    flattener = xatlas.Atlas()
    scale = _handy_scale(mesh)
    flattener.add_mesh((mesh.vertices * scale).astype(np.float32), mesh.faces.astype(np.uint32))
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    area = float(np.linalg.norm(face_normals(mesh), axis=1).sum() / 2) * scale**2
    charts.max_chart_area = area / max(CHARTS, len(mesh.faces) / TRIANGLES_A_CHART)
    packing.resolution = texture_px
    packing.padding = PADDING_TEXELS
    packing.bilinear = True
    flattener.generate(charts, packing)
    source, faces, uv = flattener[0]
    cut = Mesh(mesh.vertices[source], faces.astype(np.int32))
    return Atlas(cut, np.asarray(uv, np.float64), np.asarray(source, np.int64))
