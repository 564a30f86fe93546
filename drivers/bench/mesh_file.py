"""Meshes from files, made fit for the bench: upright on the platter, centred, in millimetres."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image

from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.scene import MeshFileError, SceneObject

UP_AXIS_OF = {".obj": "y", ".glb": "y", ".ply": "z", ".stl": "z"}
"""What a file format's files usually mean by up; the formats themselves (but GLB) do not say."""
HEIGHT_MM = 150.0
_PAINT_SEED = 1
_STL_HEADER = struct.Struct("<80xI")
"""Of binary STL: 80 bytes of anything, then the count of triangles."""
_STL_TRIANGLE_BYTES = 50
_LEAST_HEIGHT_MM, _MOST_WIDTH_MM = 1.0, 400.0


def load_mesh(path: Path, *, keep_size: bool = False, up_axis: str | None = None) -> SceneObject:
    """Return the mesh of an OBJ, PLY, GLB or STL file, standing on z = 0 around the axis.

    Up is y in OBJ and GLB and z in PLY and STL unless `up_axis` ("y" or "z") says otherwise. The mesh becomes
    150 mm tall; with `keep_size` the file's numbers are taken as millimetres. It wears its texture, else its
    vertex colours, else solid paint. Raises MeshFileError.
    """
    mesh = _read(path)
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    faces = np.asarray(mesh.faces, dtype=np.int64)
    _check(path, vertices, faces)
    axis = up_axis or UP_AXIS_OF[path.suffix.lower()]
    if axis == "y":
        vertices = vertices[:, [0, 2, 1]] * np.array([1.0, -1.0, 1.0])
    elif axis != "z":
        raise MeshFileError(f"{path}: up axis {axis!r} is unknown; use 'y' or 'z'")
    thing = _standing(path, vertices, faces, keep_size)
    return _dressed(thing, mesh, path)


def _read(path: Path) -> Any:
    kind = path.suffix.lower()
    if path.is_dir():
        raise MeshFileError(f"{path}: is a folder; name the mesh file in it")
    if not path.is_file():
        raise MeshFileError(f"{path}: there is no such file; check the path")
    if kind not in UP_AXIS_OF:
        raise MeshFileError(
            f"{path}: {kind or 'a file without a suffix'} is not a mesh; use .obj, .ply, .glb or .stl"
        )
    if path.stat().st_size == 0:
        raise MeshFileError(f"{path}: the file is empty (0 bytes); copy it again")
    try:
        mesh = trimesh.load(path, process=False, force="mesh")
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise MeshFileError(f"{path}: not a readable {kind[1:].upper()} mesh ({reason}); export it again") from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        _refuse_cut_stl(path)
        raise MeshFileError(f"{path}: holds no triangles (a point cloud or an empty scene?); a scan needs a surface")
    return mesh


def _refuse_cut_stl(path: Path) -> None:
    """Raise MeshFileError if this is an STL file whose end is missing: the reader sees one without triangles."""
    if path.suffix.lower() != ".stl":
        return
    content = path.read_bytes()
    if content.startswith(b"solid") and b"facet" in content:
        if b"endsolid" not in content:
            raise MeshFileError(f"{path}: the end of the STL text is missing; copy or export it again")
    elif len(content) > _STL_HEADER.size:
        promised = _STL_HEADER.unpack_from(content)[0]
        raise MeshFileError(
            f"{path}: {promised} triangles of binary STL take {_STL_HEADER.size + _STL_TRIANGLE_BYTES * promised} "
            f"bytes, the file has {len(content)}: it was cut short or is no STL; copy or export it again"
        )


def _check(path: Path, vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> None:
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise MeshFileError(
            f"{path}: a face names vertex {int(faces.max())} of {len(vertices)}; the file is damaged, export it again"
        )
    strange = int((~np.isfinite(vertices[np.unique(faces)])).any(axis=1).sum())
    if strange:
        raise MeshFileError(f"{path}: {strange} of {len(vertices)} vertices are not finite numbers; export it again")


def _standing(path: Path, vertices: NDArray[np.float64], faces: NDArray[np.int64], keep_size: bool) -> SceneObject:
    used = vertices[np.unique(faces)]
    low, high = used.min(axis=0), used.max(axis=0)
    size = high - low
    if size[2] <= 1e-9 * max(float(size.max()), 1e-300) or size.max() <= 0:
        raise MeshFileError(
            f"{path}: the mesh has no height (size {size[0]:g} x {size[1]:g} x {size[2]:g}, up is z here); "
            "check the file, or say which axis is up"
        )
    scale = 1.0 if keep_size else HEIGHT_MM / float(size[2])
    width, height = float(max(size[0], size[1])) * scale, float(size[2]) * scale
    if keep_size and height < _LEAST_HEIGHT_MM:
        raise MeshFileError(f"{path}: {height:g} mm tall is too small to see; leave the size to the bench")
    if width > _MOST_WIDTH_MM or height > _MOST_WIDTH_MM:
        raise MeshFileError(
            f"{path}: {width:.0f} mm wide and {height:.0f} mm tall; the platter takes {_MOST_WIDTH_MM:.0f} mm. "
            "Scale it down, or say which axis is up"
        )
    middle = (low + high) / 2
    placed = (vertices - [middle[0], middle[1], low[2]]) * scale
    return SceneObject(placed.astype(np.float32), faces.astype(np.uint32), height_mm=height)


def _dressed(thing: SceneObject, mesh: Any, path: Path) -> SceneObject:
    visual = mesh.visual
    uv = getattr(visual, "uv", None)
    if uv is not None and len(uv) == len(thing.vertices_mm) and np.isfinite(uv).all():
        texture = _texture_of(visual, path)
        if texture is not None:
            return replace(thing, uv=np.asarray(uv, dtype=np.float32), texture=texture)
    if visual.kind == "vertex":
        colours = np.asarray(visual.vertex_colors, dtype=np.uint8)[:, :3]
        return replace(thing, vertex_colours=srgb_to_linear(colours))
    return replace(thing, paint_seed=_PAINT_SEED)


def _texture_of(visual: Any, path: Path) -> NDArray[np.uint8] | None:
    material = getattr(visual, "material", None)
    for name in ("baseColorTexture", "image"):
        image = getattr(material, name, None)
        # trimesh makes up a tiny grey image where the material has none
        if image is not None and min(image.size) > 2:
            return np.asarray(image.convert("RGB"))
    for candidate in _adjacent_textures(path):
        try:
            with Image.open(candidate) as image:
                return np.asarray(image.convert("RGB"))
        except (OSError, ValueError) as error:
            raise MeshFileError(
                f"{candidate}: the texture of {path.name} cannot be read ({error}); save it again, or move it away "
                "for painted colours"
            ) from error
    return None


def _adjacent_textures(path: Path) -> list[Path]:
    """Return pictures that may belong to a mesh with texture coordinates but no material of its own.

    First one of the same name, then the only `*_texture` picture of the folder.
    """
    pictures = [p for p in sorted(path.parent.iterdir()) if p.suffix.lower() in {".png", ".jpg", ".jpeg"}]
    same = [p for p in pictures if p.stem in {path.stem, f"{path.stem}_texture"}]
    texture = [p for p in pictures if p.stem.endswith("_texture")]
    return same[:1] or (texture if len(texture) == 1 else [])
