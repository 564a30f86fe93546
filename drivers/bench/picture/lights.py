"""A few soft boxes and the sky of a bright room; the same light falls on the thing, the mat and the table."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import Floats, turn_about_z

STRATA = 16
"""Neighbouring pixels look at different parts of a light; a tile of pixels sees all of them."""
UNUSED = 255
"""The stratum of a pixel that leaves looking to its neighbours."""

_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


@dataclass(frozen=True)
class AreaLight:
    """A square soft box."""

    centre_mm: Floats
    sides_mm: Floats
    """(2, 3): from its centre to the middles of two of its edges."""
    strength: float
    """Irradiance at 700 mm, facing it."""
    colour: Floats
    """Linear RGB, about 1."""

    @property
    def half_side_mm(self) -> float:
        """Half of its width."""
        return float(np.linalg.norm(self.sides_mm[0]))

    def points_mm(self, unit_square: Floats) -> Floats:
        """Return where (n, 2) numbers from 0 to 1 lie on the soft box."""
        return np.asarray(self.centre_mm + (2 * unit_square - 1) @ self.sides_mm, dtype=np.float32)


@dataclass(frozen=True)
class Lighting:
    """What shines on the bench. `sky` comes from everywhere above, `bounce` back from what lies below."""

    lights: tuple[AreaLight, ...]
    sky: float = 0.30
    bounce: float = 0.14

    def on_platter(self, angle_deg: float, offset_mm: tuple[float, float]) -> "Lighting":
        """Return the lights as something on the platter sees them once it has turned by `angle_deg`."""
        back = turn_about_z(angle_deg).astype(np.float32)
        shift = np.array([*offset_mm, 0.0], np.float32)
        lights = tuple(
            replace(light, centre_mm=light.centre_mm @ back - shift, sides_mm=light.sides_mm @ back)
            for light in self.lights
        )
        return replace(self, lights=lights)


def bench_lighting(seed: int) -> Lighting:
    """Return a key light on the left, a fill on the right and a rim light behind; the seed moves them a little."""
    rng = np.random.default_rng(seed)
    plan = (
        ((-350, -450, 620), 150, 0.66, (1.03, 1.0, 0.96)),
        ((450, -300, 520), 160, 0.44, (0.98, 1.0, 1.03)),
        ((60, 340, 720), 200, 0.30, (1.0, 1.0, 1.0)),
    )
    lights = []
    for place, half_side_mm, strength, colour in plan:
        centre_mm = np.array(place) + rng.uniform(-25, 25, 3)
        toward = centre_mm / np.linalg.norm(centre_mm)
        side = np.cross([0.0, 0.0, 1.0], toward)
        side /= np.linalg.norm(side)
        sides_mm = np.stack([side, np.cross(toward, side)]) * half_side_mm
        lights.append(
            AreaLight(
                centre_mm.astype(np.float32),
                sides_mm.astype(np.float32),
                strength * float(rng.uniform(0.95, 1.05)),
                np.array(colour, np.float32),
            )
        )
    return Lighting(tuple(lights))


def strata_of_pixels(rows: int, columns: int, tile_px: int = 4) -> NDArray[np.uint8]:
    """Return (rows, columns): which stratum each pixel of a picture samples.

    Tiles of 4 pixels hold each stratum once. Tiles of 8 pixels do so, too: three of four pixels are UNUSED.
    """
    spacing = tile_px // 4
    tile = np.full((tile_px, tile_px), UNUSED, np.uint8)
    tile[::spacing, ::spacing] = _ORDER
    return tile[np.arange(rows)[:, None] % tile_px, np.arange(columns)[None, :] % tile_px]


def strata(stream: int, sample: int = 0) -> Floats:
    """Return (STRATA, 2) numbers from 0 to 1, spread evenly; another sample fills the gaps of the one before.

    R2 sequence (Roberts, 2018); streams differ by a shift.
    """
    index = np.arange(STRATA) + STRATA * sample + 0.5
    plastic = 1.32471795724474602596
    first = (index / plastic + 0.371 * stream) % 1.0
    second = (index / plastic**2 + 0.713 * stream) % 1.0
    return np.stack([first, second], axis=1).astype(np.float32)


def on_ball(unit_square: Floats) -> Floats:
    """Return (n, 3) points of the unit sphere, as even as the numbers that they come from.

    A normal plus such a point is a direction as likely as the light of an even sky would count it.
    """
    turn = 2 * np.pi * unit_square[:, :1]
    height = 2 * unit_square[:, 1:] - 1
    ring = np.sqrt(np.maximum(0, 1 - height * height))
    return np.concatenate([ring * np.cos(turn), ring * np.sin(turn), height], axis=1).astype(np.float32)
