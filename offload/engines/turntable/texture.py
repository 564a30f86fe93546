"""From a dense mesh and its views to a light, textured one."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import Cancellation
from offload.engines.turntable.atlas import Atlas, simplified, unwrap
from offload.engines.turntable.bake import Colours, bake
from offload.engines.turntable.jit import kernel
from offload.engines.turntable.mesh import neighbour_mean, unit, vertex_normals
from offload.engines.turntable.views import Floats, Mesh, ViewSet

Singles = NDArray[np.float32]

HIDDEN_BEHIND = 1.5
"""A point this far behind the dense skin (millimetres on a 150 mm object) is hidden by it."""
SLOP_TEXELS = 0.3
"""Texels whose centre lies just outside a triangle still get their own colour, against cracks."""


@dataclass(frozen=True)
class TexturedMesh:
    """A light mesh, cut along its seams, with its texture."""

    closed: Mesh
    """The same surface before it was cut."""
    mesh: Mesh
    uv: Floats
    """(n, 2), 0 to 1, v downwards."""
    normals: Floats
    """(n, 3), smooth across seams."""
    texture: NDArray[np.uint8]
    """(S, S, 3), BGR."""
    seen_share: float
    """Of the texels that belong to the surface, those that a photo saw."""


@dataclass(frozen=True)
class _Texels:
    """The texels that lie on the surface."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    points: Singles
    normals: Singles


def textured(
    skin: Mesh, views: ViewSet, texture_px: int, triangles: int, unit_mm: float, cancellation: Cancellation
) -> TexturedMesh:
    """Simplify, unwrap and bake; `unit_mm` as in Space."""
    light = simplified(skin, triangles)
    cancellation.raise_if_cancelled()
    atlas = unwrap(light, texture_px)
    cancellation.raise_if_cancelled()
    normals = vertex_normals(light)[atlas.source]
    texels = _surface_texels(atlas, normals, texture_px)
    colours = bake(texels.points, texels.normals, skin, views, HIDDEN_BEHIND * unit_mm, cancellation)
    picture = np.zeros((texture_px, texture_px, 3), np.uint8)
    known = np.zeros((texture_px, texture_px), bool)
    picture[texels.rows, texels.columns] = colours.bgr
    known[texels.rows, texels.columns] = colours.seen
    seen_share = float(colours.seen.mean()) if len(colours.seen) else 0.0
    return TexturedMesh(light, atlas.mesh, atlas.uv, normals, filled_from_around(picture, known), seen_share)


def vertex_colours(skin: Mesh, views: ViewSet, unit_mm: float, cancellation: Cancellation) -> NDArray[np.uint8]:
    """(n, 3), BGR: colours of the dense mesh; what no photo saw takes its neighbours' colour."""
    normals = vertex_normals(skin).astype(np.float32)
    colours = bake(skin.vertices.astype(np.float32), normals, skin, views, HIDDEN_BEHIND * unit_mm, cancellation)
    return _spread(colours, skin)


def _spread(colours: Colours, skin: Mesh) -> NDArray[np.uint8]:
    mean = neighbour_mean(skin.faces, len(skin.vertices))
    weight = colours.seen.astype(np.float32)
    total = colours.bgr * weight[:, None]
    for _ in range(60):
        if (weight > 0).all():
            break
        reached = weight > 0
        spread_weight, spread_total = mean @ weight, mean @ total
        weight = np.where(reached, weight, spread_weight)
        total = np.where(reached[:, None], total, spread_total)
    grey = np.full(3, 128.0) if not colours.seen.any() else colours.bgr[colours.seen].mean(axis=0)
    blended = np.where(weight[:, None] > 0, total / np.maximum(weight, 1e-9)[:, None], grey)
    return np.asarray(np.clip(blended + 0.5, 0, 255), np.uint8)


def _surface_texels(atlas: Atlas, normals: Floats, texture_px: int) -> _Texels:
    pixels = (atlas.uv * texture_px - 0.5).astype(np.float32)
    face_of, weights = _raster_charts(pixels, atlas.mesh.faces, texture_px)
    rows, columns = np.nonzero(face_of >= 0)
    corners = atlas.mesh.faces[face_of[rows, columns]]
    share = weights[rows, columns]

    def interpolated(values: Floats) -> Singles:
        narrow = values.astype(np.float32)
        mixed = narrow[corners[:, 0]] * share[:, :1]
        mixed += narrow[corners[:, 1]] * share[:, 1:]
        mixed += narrow[corners[:, 2]] * (1 - share.sum(axis=1, keepdims=True))
        return np.asarray(mixed, np.float32)

    return _Texels(rows, columns, interpolated(atlas.mesh.vertices), unit(interpolated(normals)).astype(np.float32))  # type: ignore[arg-type]


@kernel(parallel=False)
def _raster_charts(pixels: Singles, faces: NDArray[np.int32], size: int) -> tuple[NDArray[np.int32], Singles]:
    """Which face covers a texel, and the weights of its first two corners there."""
    face_of = np.full((size, size), np.int32(-1))
    weights = np.zeros((size, size, 2), np.float32)
    depth = np.full((size, size), np.float32(-1e9))
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        xa, ya, xb, yb, xc, yc = pixels[a, 0], pixels[a, 1], pixels[b, 0], pixels[b, 1], pixels[c, 0], pixels[c, 1]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if abs(area) < 1e-9:
            continue
        longest = max(np.hypot(xb - xa, yb - ya), np.hypot(xc - xb, yc - yb), np.hypot(xa - xc, ya - yc))
        slop = np.float32(min(0.4, SLOP_TEXELS * longest / abs(area)))
        left, right = max(int(np.floor(min(xa, xb, xc))), 0), min(int(np.ceil(max(xa, xb, xc))), size - 1)
        top, bottom = max(int(np.floor(min(ya, yb, yc))), 0), min(int(np.ceil(max(ya, yb, yc))), size - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                wa = ((xb - x) * (yc - y) - (xc - x) * (yb - y)) / area
                wb = ((xc - x) * (ya - y) - (xa - x) * (yc - y)) / area
                inner = min(wa, wb, 1 - wa - wb)
                # Among faces that touch a texel, the one that holds its centre wins.
                if inner < -slop or inner <= depth[y, x]:
                    continue
                depth[y, x] = min(inner, np.float32(0))
                face_of[y, x] = face
                weights[y, x, 0] = wa
                weights[y, x, 1] = wb
    return face_of, weights


def filled_from_around(picture: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give unknown texels the colour of what is known around them: pull down a pyramid, push up again."""
    total, weight = picture.astype(np.float32) * known[..., None], known.astype(np.float32)
    levels = [(total, weight)]
    while max(levels[-1][1].shape) > 1:
        total, weight = (_halved(layer) for layer in levels[-1])
        levels.append((total, weight))
    total, weight = levels[-1]
    filled = total / np.maximum(weight, 1e-6)[..., None]
    for total, weight in reversed(levels[:-1]):
        coarse = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        own = total / np.maximum(weight, 1e-6)[..., None]
        filled = np.where(weight[..., None] > 1e-3, own, coarse)
    result = np.clip(filled + 0.5, 0, 255).astype(np.uint8)
    result[known] = picture[known]
    return result


def _halved(layer: Singles) -> Singles:
    size = (max(layer.shape[1] // 2, 1), max(layer.shape[0] // 2, 1))
    return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), np.float32)
