"""What stands around: a table, the turntable itself, and the things people leave behind it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.paint import SolidNoise
from drivers.bench.picture.rays import Floats, turn_about_z

PLATTER_RADIUS_MM = 212.0
TABLE_Z_MM = -26.0

Solid = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Material:
    """Linear colour, varied by noise of a period that may differ along x, y and z."""

    colour: tuple[float, float, float]
    contrast: float = 0.0
    period_mm: tuple[float, float, float] = (8.0, 8.0, 8.0)
    is_floor: bool = False
    """Level with the platter or nearly: the thing's shadow falls on it."""


@dataclass(frozen=True)
class Clutter:
    """One mesh with a material for every face."""

    vertices_mm: Floats
    faces: NDArray[np.uint32]
    material: NDArray[np.int64]
    """(faces,): index into `materials`."""
    materials: tuple[Material, ...]

    def is_floor(self, face: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return for each hit face whether it is the platter's or the table's top."""
        return np.array([material.is_floor for material in self.materials])[self.material[face]]

    def colours(self, face: NDArray[np.int32], points_mm: Floats) -> Floats:
        """Return (n, 3), linear RGB."""
        kind = self.material[face]
        found = np.empty((len(face), 3), np.float32)
        for index, material in enumerate(self.materials):
            chosen = kind == index
            if not chosen.any():
                continue
            shade = np.ones(int(chosen.sum()), np.float32)
            if material.contrast > 0:
                noise = SolidNoise(index)
                level = noise.fractal(points_mm[chosen] / np.array(material.period_mm, np.float32), 1.0, 2, 0.0)
                shade += np.float32(material.contrast) * (level - 0.5) * 2
            found[chosen] = np.maximum(shade, 0.02)[:, None] * np.array(material.colour, np.float32)
        return found


def box(size_mm: tuple[float, float, float]) -> Solid:
    """Return a box that stands on z = 0 around the axis."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)]) * size_mm
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners, np.array([[a, b, c] for a, b, c, _ in quads] + [[a, c, d] for a, _, c, d in quads])


def turned(profile_mm: list[tuple[float, float]], sides: int = 72) -> Solid:
    """Return the solid that (radius, height) pairs, from the lowest upwards, sweep around the axis."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    radius, height = np.array(profile_mm).T
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [(ring[None] * radius[:, None, None]), np.broadcast_to(height[:, None, None], (len(radius), sides, 1))],
        axis=2,
    ).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(len(radius) - 1), np.arange(sides), indexing="ij")
    following = (column + 1) % sides
    a, b = row * sides + column, row * sides + following
    c, d = b + sides, a + sides
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return vertices, faces


def ball(radius_mm: float) -> Solid:
    """Return a ball that stands on z = 0."""
    slope = np.linspace(-np.pi / 2, np.pi / 2, 25)
    return turned([(radius_mm * np.cos(s) + 1e-3, radius_mm * (1 + np.sin(s))) for s in slope], 48)


def clutter(seed: int) -> Clutter:
    """Return the bench's surroundings; the seed moves and colours what lies about."""
    rng = np.random.default_rng(seed)
    pieces: list[tuple[Solid, tuple[float, float, float], float, Material]] = []

    def put(solid: Solid, x: float, y: float, material: Material, z: float = TABLE_Z_MM, turn: float = 0.0) -> None:
        jitter = rng.uniform(-12, 12, 2) if z == TABLE_Z_MM else np.zeros(2)
        pieces.append((solid, (x + jitter[0], y + jitter[1], z), turn, material))

    radius = PLATTER_RADIUS_MM
    pieces.append((box((2600, 2600, 40)), (0, 300, TABLE_Z_MM - 40), 0, _WOOD))
    rim = [(radius - 2.5, -16.0), (radius, -14.0), (radius, -1.2), (radius - 1.2, 0.0)]
    pieces.append((turned(rim, 192), (0, 0, 0), 0, _RIM))
    top = [((radius - 1.2) * share, 0.0) for share in np.linspace(1, 0.02, 14)]  # even triangles: quick to search
    pieces.append((turned(top, 192), (0, 0, 0), 0, _PLATTER))
    pieces.append((turned([top[-1], (0.0, 0.0)], 192), (0, 0, 0), 0, _PLATTER))
    pieces.append((turned([(90, TABLE_Z_MM), (90, -16)], 96), (0, 0, 0), 0, _RIM))
    put(box((2600, 30, 900)), 0, 760, _WALL)
    for level, (size, colour) in enumerate(_BOOKS):
        turn = float(rng.uniform(-16, 16))
        z = TABLE_Z_MM + sum(book[0][2] for book in _BOOKS[:level])
        pieces.append((box(size), (-265, 400, z), turn, Material(colour, 0.25, (3, 3, 40))))
    put(turned([(36, 0), (40, 4), (40, 94), (37, 94), (36, 8), (0, 6)]), 205, 350, Material((0.05, 0.30, 0.33), 0.1))
    put(
        turned([(34, 0), (38, 90), (35, 90), (32, 4), (0, 4)]), 40, 520, Material((0.55, 0.50, 0.42), 0.5, (5, 5, 14))
    )
    for _ in range(7):
        at = rng.uniform(-19, 19, 2)
        stick = box((6.5, 6.5, float(rng.uniform(130, 180))))
        put(stick, 40 + at[0], 520 + at[1], Material(_any(rng)), TABLE_Z_MM + 4, float(rng.uniform(0, 90)))
    put(ball(38), -85, 345, Material((0.75, 0.20, 0.05), 0.5, (30, 30, 9)))
    put(box((190, 150, 140)), 330, 560, Material((0.42, 0.28, 0.15), 0.15, (60, 60, 3)), turn=24)
    put(box((120, 90, 45)), 130, 440, Material((0.12, 0.16, 0.40), 0.6, (9, 9, 9)), turn=-31)
    put(turned([(30, 0), (44, 70), (41, 70), (38, 60), (0, 60)]), -420, 560, Material((0.45, 0.16, 0.08), 0.2))
    for _ in range(26):
        at, leaf_mm = rng.normal(0, 32, 3), float(rng.uniform(13, 26))
        leaf = Material((0.06, float(rng.uniform(0.16, 0.30)), 0.05), 0.4)
        put(ball(leaf_mm), -420 + at[0], 560 + at[1], leaf, TABLE_Z_MM + 85 + abs(at[2]))
    put(box((10, 330, 10)), -300, 120, Material((0.8, 0.62, 0.1), 0.5, (50, 4, 50)), turn=12)
    put(box((70, 110, 18)), 345, 210, Material((0.5, 0.07, 0.07), 0.3, (12, 12, 12)), turn=-18)
    return _joined(pieces)


_WOOD = Material((0.40, 0.27, 0.16), 0.42, (90.0, 7.0, 60.0), is_floor=True)
_PLATTER = Material((0.10, 0.105, 0.11), is_floor=True)
_RIM = Material((0.16, 0.165, 0.17))
_WALL = Material((0.50, 0.50, 0.47), 0.12, (40.0, 40.0, 40.0))
_BOOKS: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...] = (
    ((240, 170, 34), (0.30, 0.06, 0.07)),
    ((210, 150, 26), (0.10, 0.22, 0.32)),
    ((190, 130, 40), (0.62, 0.54, 0.34)),
    ((160, 110, 18), (0.09, 0.24, 0.14)),
)


def _any(rng: np.random.Generator) -> tuple[float, float, float]:
    red, green, blue = rng.uniform(0.05, 0.75, 3)
    return float(red), float(green), float(blue)


def _joined(pieces: list[tuple[Solid, tuple[float, float, float], float, Material]]) -> Clutter:
    vertices, faces, material, count = [], [], [], 0
    for index, ((solid, triangles), place, turn, _) in enumerate(pieces):
        vertices.append(solid @ turn_about_z(turn).T + place)
        faces.append(triangles + count)
        material.append(np.full(len(triangles), index))
        count += len(solid)
    return Clutter(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(faces).astype(np.uint32),
        np.concatenate(material),
        tuple(piece[3] for piece in pieces),
    )
