"""How much light arrives at a point: soft boxes with soft shadows, the sky, and what bounces back from below."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.lights import TILE, AreaLight, Lighting, cosine_directions, strata
from drivers.bench.picture.rays import Floats, turn_about_z
from drivers.bench.picture.surface import Surface

_NOMINAL_DISTANCE_MM = 700.0
LIFT_MM = 0.15
"""Shadow rays start this far above the surface."""


def turned_with_platter(lighting: Lighting, angle_deg: float, offset_mm: tuple[float, float]) -> Lighting:
    """Return the lights as something on the platter sees them once it has turned by `angle_deg`."""
    back = turn_about_z(angle_deg)
    shift = np.array([*offset_mm, 0.0])
    lights = tuple(
        AreaLight(
            (light.centre_mm @ back - shift).astype(np.float32), light.half_side_mm, light.strength, light.colour
        )
        for light in lighting.lights
    )
    return Lighting(lights, lighting.sky, lighting.bounce)


def facing(light: AreaLight, points_mm: Floats, normals: Floats) -> Floats:
    """Return (n,): what the light would give each point if nothing stood between."""
    toward = light.centre_mm - points_mm
    squared = np.einsum("nk,nk->n", toward, toward)
    cosine = np.einsum("nk,nk->n", toward, normals)
    scale = np.float32(light.strength * _NOMINAL_DISTANCE_MM**2)
    return np.asarray(np.maximum(cosine, 0) * scale / (squared * np.sqrt(squared)), dtype=np.float32)


def sees_light(
    surface: Surface,
    light: AreaLight,
    points_mm: Floats,
    tile: tuple[NDArray[np.int64], NDArray[np.int64]],
    stream: int,
) -> NDArray[np.bool_]:
    """Return for each point whether it sees its part of the light; `tile` is the pixel's (x, y)."""
    aim = light.points_mm(strata(*tile, 0, stream)) - points_mm
    return surface.is_clear(points_mm, aim)


def sky_light(
    lighting: Lighting,
    surface: Surface,
    points_mm: Floats,
    normals: Floats,
    tile: tuple[NDArray[np.int64], NDArray[np.int64]],
    stream: int,
) -> Floats:
    """Return (n,): one look from each point into the room, the sky above or the bench below."""
    aim = cosine_directions(normals, strata(*tile, 0, stream))
    arrives = np.where(aim[:, 2] > 0, np.float32(lighting.sky), np.float32(lighting.bounce))
    return np.asarray(arrives * surface.is_clear(points_mm, aim), dtype=np.float32)


def tile_mean(values: Floats, counts: NDArray[np.bool_]) -> Floats:
    """Return the mean of the pixels that count over a tile around each; 0 where none does. Values are (h, w, k)."""
    kernel = (TILE, TILE)
    weight = cv2.boxFilter(counts.astype(np.float32), -1, kernel, normalize=False)
    total = np.asarray(cv2.boxFilter(values * counts[..., None], -1, kernel, normalize=False))
    return np.asarray(total.reshape(values.shape) / np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
