"""Write a mesh with vertex colours as binary PLY."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.views import Mesh


def write_ply(path: Path, mesh: Mesh, bgr: NDArray[np.uint8], units: str) -> None:
    """Write in the mesh's own frame and unit, which the header names; colours (n, 3)."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment units {units}\n"
        f"element vertex {len(mesh.vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"element face {len(mesh.faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    points = np.empty(len(mesh.vertices), dtype=[("xyz", "<f4", 3), ("rgb", "u1", 3)])
    points["xyz"], points["rgb"] = mesh.vertices, bgr[:, ::-1]
    triangles = np.empty(len(mesh.faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    triangles["count"], triangles["corners"] = 3, mesh.faces
    path.write_bytes(header.encode("ascii") + points.tobytes() + triangles.tobytes())
