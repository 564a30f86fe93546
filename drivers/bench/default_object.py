"""What stands on the bench unless a mesh is named: a glazed owl jug, 150 mm tall, modelled and painted here.

It asks a scanner the usual questions: a hollow (the jug's mouth, and the dishes of the eyes), an undercut (the handle
with its hole, the gap behind the wing tips), thin parts (the tufts), fine relief (feathers), and a plain patch
without any texture (the belly).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from drivers.bench.distance_field import Floats, cone, cut, ellipsoid, join, ring_across_x
from drivers.bench.picture.paint import SolidNoise
from drivers.bench.scene import SceneObject

_LOW_MM, _HIGH_MM = (-66.0, -62.0, -3.0), (66.0, 84.0, 156.0)
_COARSE_MM = 1.75
_SEED = 11
_BELLY_CENTRE_MM = (0.0, -44.0, 45.0)
_EYES_MM = ((-17.0, -33.0, 113.0), (17.0, -33.0, 113.0))

_CREAM = (0.78, 0.68, 0.50)
_UMBER = (0.14, 0.065, 0.03)
_RUST = (0.42, 0.15, 0.05)
_TEAL = (0.03, 0.17, 0.20)
_TURQUOISE = (0.16, 0.46, 0.44)
_GOLD = (0.75, 0.42, 0.06)
_INK = (0.02, 0.02, 0.025)


def default_object(subdivisions: int = 2) -> SceneObject:
    """Return the owl, facing the negative y side, watertight, with a colour for every vertex.

    Two subdivisions leave about 0.4 mm between vertices, as fine as a photo's two pixels.
    """
    vertices, faces = _coarse_surface()
    for _ in range(subdivisions):
        vertices, faces = _split(vertices, faces)
        vertices = _settled(vertices, faces)
    vertices[:, 2] -= vertices[:, 2].min()
    scale = np.float32(150.0 / vertices[:, 2].max())
    return SceneObject(vertices * scale, faces.astype(np.uint32), vertex_colours=_painted(vertices))


def body_distance(points_mm: Floats) -> Floats:
    """Return the signed distance (n,) to the owl without its fine relief."""
    p = points_mm.copy()
    p[:, 0] = np.abs(p[:, 0])  # an owl is the same on both sides
    solid = join(ellipsoid(p, (0, 2, 50), (46, 43, 58)), ellipsoid(p, (0, -2, 108), (38, 35, 33)), 18)
    solid = join(solid, cone(p, (22, -4, 128), (33, -6, 146), 9, 2.6), 10)
    solid = join(solid, ellipsoid(_leaning(p, (41, 4, 66), 14), (0, 0, 0), (10, 29, 40)), 4)
    solid = join(solid, cone(p, (40, 28, 38), (37, 44, 16), 8, 3.0), 5)
    solid = join(solid, ring_across_x(p, (0, 38, 82), (26, 36), 6.5), 5)
    solid = join(solid, ellipsoid(p, (0, 0, 1), (38, 36, 13)), 8)
    for toe in ((9, -36, 4), (19, -34, 4), (28, -29, 4)):
        solid = join(solid, ellipsoid(p, (float(toe[0]), float(toe[1]), float(toe[2])), (5.2, 11, 6)), 3)
    eye = _EYES_MM[1]
    solid = cut(solid, ellipsoid(p, (eye[0] + 1, eye[1] - 8, eye[2]), (15, 14, 15)), 3)
    solid = join(solid, ellipsoid(p, (eye[0], eye[1] + 5, eye[2]), (9.5, 9.5, 9.5)), 1.2)
    solid = join(solid, cone(p, (0, -34, 108), (0, -46, 95), 6.5, 1.8), 4)
    mouth = join(cone(p, (0, 0, 160), (0, 0, 122), 21, 15), ellipsoid(p, (0, 0, 104), (22, 20, 22)), 8)
    solid = cut(solid, mouth, 4)
    return cut(solid, p[:, 2], 3)


def surface_distance(points_mm: Floats) -> Floats:
    """Return the signed distance (n,) with carved feathers and the unevenness of a thrown pot."""
    body = body_distance(points_mm)
    near = np.flatnonzero(np.abs(body) < 4)
    at = points_mm[near]
    noise = SolidNoise(_SEED)
    uneven = (noise.octave(at, 16.0, 0) - 0.5) * 1.2 + (noise.octave(at, 5.0, 1) - 0.5) * 0.35
    relief = uneven * _roughness(at) + 0.9 * _feathers(at) * _plumage(at)
    result = body.copy()
    result[near] -= relief.astype(np.float32)
    return result


def _leaning(points_mm: Floats, centre_mm: tuple[float, float, float], lean_deg: float) -> Floats:
    """Return points in the frame of something centred there that leans backwards by an angle."""
    cosine, sine = np.cos(np.deg2rad(lean_deg)), np.sin(np.deg2rad(lean_deg))
    out = points_mm - np.array(centre_mm, np.float32)
    turned = np.column_stack(
        [out[:, 0], cosine * out[:, 1] - sine * out[:, 2], sine * out[:, 1] + cosine * out[:, 2]]
    )
    return turned.astype(np.float32)


def _feathers(points_mm: Floats) -> Floats:
    """Return (n,) from 0 to 1: rows of overlapping scales around the axis, 1 at each scale's lower rim."""
    along, within = _scale_place(points_mm)
    return np.asarray(np.clip(1 - (along**2 + within**2), 0, 1) ** 0.5)


def _scale_place(points_mm: Floats, row_mm: float = 9.0, around: int = 22) -> tuple[Floats, Floats]:
    """Return where in its feather each point is: across (-1 to 1) and down (0 at the tip's centre, 1 above)."""
    turn = np.arctan2(points_mm[:, 0], -points_mm[:, 1]) / (2 * np.pi) * around
    height = points_mm[:, 2] / row_mm
    row = np.floor(height)
    across = (turn + 0.5 * (row % 2)) % 1.0 * 2 - 1
    return np.asarray(across), np.asarray((height - row) * 1.3 - 0.15)


def _plumage(points_mm: Floats) -> Floats:
    """Return (n,) from 0 to 1: where feathers are carved; neither on belly, face, handle nor feet."""
    x, y, z = points_mm.T
    sides = _step(np.abs(x) + 0.35 * y, 14, 22) * _step(z, 10, 20) * _step(-z, -96, -86)
    return sides * (1 - _belly(points_mm)) * (1 - _step(y, 44, 48))


def _belly(points_mm: Floats) -> Floats:
    """Return (n,) from 0 to 1: the plain medallion on the belly."""
    away = ellipsoid(points_mm, _BELLY_CENTRE_MM, (21.0, 30.0, 25.0))
    return _step(-away, -0.3, 0.3) * _step(-points_mm[:, 1], 20, 21)


def _roughness(points_mm: Floats) -> Floats:
    return 1 - 0.85 * _belly(points_mm)


def _step(value: Floats, low: float, high: float) -> Floats:
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)


def _painted(points_mm: Floats) -> Floats:
    """Return (n, 3), linear RGB: glaze over clay, feathers drawn, eyes and beak set off, the belly left plain."""
    noise = SolidNoise(_SEED + 1)
    x, y, z = points_mm.T
    cloud = noise.fractal(points_mm, 14.0, 3, 0.0)
    grain = noise.fractal(points_mm, 2.6, 3, 0.0, fade=0.8)
    colour = _mixed(_RUST, _CREAM, _step(cloud + 0.25 * (grain - 0.5), 0.35, 0.68))
    glaze = _step(z + 16 * (cloud - 0.5) + 5 * np.sin(np.arctan2(x, -y) * 5), 84, 87)
    colour = _over(colour, _mixed(_TEAL, _TURQUOISE, _step(cloud + 0.5 * (grain - 0.5), 0.36, 0.66)), glaze)
    across, down = _scale_place(points_mm)
    rim = np.abs(np.sqrt(across**2 + down**2) - 0.82 + 0.25 * (grain - 0.5))
    quill = np.abs(across) + 0.4 * np.abs(grain - 0.5)
    plumage = _plumage(points_mm) * (1 - glaze)
    colour = _over(colour, _solid(_UMBER), plumage * (1 - _step(rim, 0.10, 0.2)))
    colour = _over(colour, _solid(_CREAM), plumage * (1 - _step(quill, 0.08, 0.16)) * _step(-down, -0.7, -0.6))
    handle = _step(y, 45, 46) * _step(z, 40, 44)
    turn = np.arctan2(z - 82, y - 38) * 9 + 1.5 * (cloud - 0.5)
    stripes = _step(np.sin(turn * 2), -0.15, 0.15)
    colour = _over(colour, _mixed(_TEAL, _GOLD, stripes), handle)
    colour = colour * (1 + 0.55 * (grain - 0.5))[:, None]
    speck = _step(noise.octave(points_mm, 2.2, 6), 0.80, 0.86)
    colour = _over(colour, _solid(_UMBER), speck)
    colour = _over(colour, _solid(_CREAM), _belly(points_mm))
    colour = _with_face(colour, points_mm, grain)
    inside = ellipsoid(points_mm, (0, 0, 110), (20.0, 18.5, 40.0))
    return np.clip(_over(colour, _mixed(_INK, _UMBER, grain), _step(-inside, -0.5, 1.5)), 0.01, 0.95)


def _with_face(colour: Floats, points_mm: Floats, grain: Floats) -> Floats:
    front = _step(-points_mm[:, 1], 18, 20)
    for eye in _EYES_MM:
        out = points_mm - np.array(eye, np.float32)
        away = np.hypot(out[:, 0], out[:, 2])
        rays = 0.5 + 0.5 * np.sin(np.arctan2(out[:, 2], out[:, 0]) * 18)
        disc = front * (1 - _step(away, 16.5, 17.2))
        colour = _over(colour, _mixed(_CREAM, _RUST, _step(rays + grain - 0.5, 0.4, 0.6)), disc)
        colour = _over(colour, _mixed(_GOLD, _RUST, _step(grain, 0.4, 0.6)), front * (1 - _step(away, 8.6, 9.2)))
        colour = _over(colour, _solid(_INK), front * (1 - _step(away, 4.8, 5.2)))
    beak = cone(points_mm, (0, -36, 108), (0, -47, 95), 6.0, 1.8)
    return _over(colour, _mixed(_UMBER, _GOLD, _step(grain, 0.3, 0.55)), _step(-beak, -0.8, 0.0))


def _solid(colour: tuple[float, float, float]) -> Floats:
    return np.array([colour], np.float32)


def _mixed(first: tuple[float, float, float], second: tuple[float, float, float], share: Floats) -> Floats:
    return np.asarray(_solid(first) + (_solid(second) - _solid(first)) * share[:, None], dtype=np.float32)


def _over(below: Floats, above: Floats, share: Floats) -> Floats:
    return np.asarray(below + (above - below) * share[:, None], dtype=np.float32)


def _coarse_surface() -> tuple[Floats, NDArray[np.int64]]:
    axes = [np.arange(low, high, _COARSE_MM, dtype=np.float32) for low, high in zip(_LOW_MM, _HIGH_MM, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    field = _in_pieces(surface_distance, grid).reshape([len(axis) for axis in axes])
    march: Callable[..., Any] = marching_cubes  # scikit-image does not type it
    vertices, faces, _, _ = march(field, 0.0, spacing=(_COARSE_MM,) * 3, gradient_direction="descent")
    return (vertices + np.array(_LOW_MM)).astype(np.float32), faces.astype(np.int64)


def _in_pieces(field: Callable[[Floats], Floats], points_mm: Floats, piece: int = 100_000) -> Floats:
    return np.concatenate([field(points_mm[start : start + piece]) for start in range(0, len(points_mm), piece)])


def _split(vertices: Floats, faces: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Cut every triangle into four at its edges' middles."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    key, place = np.unique(edges[:, 0] * len(vertices) + edges[:, 1], return_inverse=True)
    middle = (vertices[key // len(vertices)] + vertices[key % len(vertices)]) / 2
    ab, bc, ca = place.reshape(3, -1) + len(vertices)
    a, b, c = faces.T
    parts = [np.stack(corner, axis=1) for corner in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([vertices, middle]).astype(np.float32), np.concatenate(parts)


def _settled(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Move every vertex along the mesh's normal by its distance: one step towards the surface."""
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    index = faces.T.reshape(-1)
    normal = np.stack([np.bincount(index, np.tile(across[:, axis], 3), len(vertices)) for axis in range(3)], axis=1)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    distance = np.clip(_in_pieces(surface_distance, vertices), -0.4, 0.4)
    return np.asarray(vertices - distance[:, None] * normal, dtype=np.float32)
