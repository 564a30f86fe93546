"""A few soft boxes and the sky of a bright room; the same light falls on the thing, the mat and the table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats

TILE = 4
"""Neighbouring pixels look at different parts of a light; a box of TILE x TILE pixels sees all of them."""

_TILE_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


@dataclass(frozen=True)
class AreaLight:
    """A square soft box that faces the axis, in the world."""

    centre_mm: Floats
    half_side_mm: float
    strength: float
    """Irradiance at 700 mm, facing it."""
    colour: Floats
    """Linear RGB, about 1."""

    def points_mm(self, unit_square: Floats) -> Floats:
        """Return where (n, 2) numbers from 0 to 1 lie on the soft box."""
        toward = self.centre_mm / np.linalg.norm(self.centre_mm)
        side = np.cross([0.0, 0.0, 1.0], toward)
        side /= np.linalg.norm(side)
        up = np.cross(toward, side)
        spread = (2 * unit_square - 1) * np.float32(self.half_side_mm)
        return np.asarray(self.centre_mm + spread[:, :1] * side + spread[:, 1:] * up, dtype=np.float32)


@dataclass(frozen=True)
class Lighting:
    """What shines on the bench. `sky` comes from everywhere above, `bounce` back from what lies below."""

    lights: tuple[AreaLight, ...]
    sky: float = 0.30
    bounce: float = 0.14


def bench_lighting(seed: int) -> Lighting:
    """Return a key light on the left, a fill on the right and a rim light behind; the seed moves them a little."""
    rng = np.random.default_rng(seed)
    plan = (
        ((-350, -450, 620), 150, 0.66, (1.03, 1.0, 0.96)),
        ((450, -300, 520), 160, 0.44, (0.98, 1.0, 1.03)),
        ((60, 340, 720), 200, 0.30, (1.0, 1.0, 1.0)),
    )
    lights = tuple(
        AreaLight(
            (np.array(centre) + rng.uniform(-25, 25, 3)).astype(np.float32),
            half_side,
            strength * rng.uniform(0.95, 1.05),
            np.array(colour, np.float32),
        )
        for centre, half_side, strength, colour in plan
    )
    return Lighting(lights)


def strata(x_px: NDArray[np.int64], y_px: NDArray[np.int64], sample: int, stream: int) -> Floats:
    """Return (n, 2) well spread numbers from 0 to 1: one for each pixel, the 16 of a tile all different.

    R2 sequence (Roberts, 2018): the points of a tile and of its further samples fill the square evenly.
    """
    index = _TILE_ORDER[y_px % TILE, x_px % TILE] + TILE * TILE * sample + 0.5
    plastic = 1.32471795724474602596
    first = (index / plastic + 0.371 * stream) % 1.0
    second = (index / plastic**2 + 0.713 * stream) % 1.0
    return np.stack([first, second], axis=1).astype(np.float32)


def cosine_directions(normals: Floats, unit_square: Floats) -> Floats:
    """Return (n, 3) directions around each normal, as dense as the light of an even sky would count."""
    turn = 2 * np.pi * unit_square[:, :1]
    height = 2 * unit_square[:, 1:] - 1
    ring = np.sqrt(np.maximum(0, 1 - height * height))
    ball = np.concatenate([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    return np.asarray(normals * np.float32(1.001) + ball, dtype=np.float32)
