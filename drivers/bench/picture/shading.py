"""How much light arrives at a point: soft boxes with soft shadows, the sky, and what bounces back from below."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.lights import AreaLight, Lighting, on_ball, strata
from drivers.bench.picture.rays import Floats
from drivers.bench.picture.surface import Surface

_NOMINAL_DISTANCE_MM = 700.0
_SKY_STREAM = 7
_GLOSS_EXPONENT = 60.0
"""Half as bright 9 degrees beside the mirror's direction, as wide as the soft boxes are seen from the platter."""
LIFT_MM = 0.15
"""Shadow rays start this far above the surface."""

Strata = NDArray[np.uint8]
"""(n,): the part of a light that each point looks at."""


def facing(light: AreaLight, points_mm: Floats, normals: Floats) -> Floats:
    """Return (n,): what the light would give each point if nothing stood between."""
    toward = light.centre_mm - points_mm
    squared = np.einsum("nk,nk->n", toward, toward)
    cosine = np.einsum("nk,nk->n", toward, normals)
    scale = np.float32(light.strength * _NOMINAL_DISTANCE_MM**2)
    return np.asarray(np.maximum(cosine, 0) * scale / (squared * np.sqrt(squared)), dtype=np.float32)


def mirrored(light: AreaLight, points_mm: Floats, normals: Floats, eye_mm: Floats, gloss: float) -> Floats:
    """Return (n,): what a glossy surface sends of the light to the eye (3,) if nothing stood between.

    Blinn and Phong's lobe about the half vector, normalised by (n + 8) / 8, with Schlick's rise towards grazing
    angles. The light counts as a point, whose size the lobe's width stands for.
    """
    toward_light, toward_eye = _units(light.centre_mm - points_mm), _units(eye_mm - points_mm)
    half = _units(toward_light + toward_eye)
    aligned = np.maximum(np.einsum("nk,nk->n", half, normals), 0)
    grazing = (1 - np.maximum(np.einsum("nk,nk->n", half, toward_eye), 0)) ** 5
    lobe = np.float32((_GLOSS_EXPONENT + 8) / 8) * aligned**_GLOSS_EXPONENT
    share = np.float32(gloss) + np.float32(1 - gloss) * grazing
    return np.asarray(share * lobe * facing(light, points_mm, normals), dtype=np.float32)


def _units(vectors: Floats) -> Floats:
    length = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-20)[:, None], dtype=np.float32)


def sees_light(
    surface: Surface, light: AreaLight, points_mm: Floats, looks: Strata, stream: int, sample: int = 0
) -> NDArray[np.bool_]:
    """Return for each point whether it sees its part of the light; streams keep the lights apart."""
    aim = light.points_mm(strata(stream, sample)).take(looks, axis=0)
    aim -= points_mm
    return surface.is_clear(points_mm, aim)


def sees_sky(
    surface: Surface, points_mm: Floats, normals: Floats, looks: Strata, sample: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for one look from each point into the room whether it is free, and whether it goes upwards."""
    aim = on_ball(strata(_SKY_STREAM, sample) * np.float32(0.999)).take(looks, axis=0)
    aim += normals
    return surface.is_clear(points_mm, aim), aim[:, 2] > 0


def sky_light(lighting: Lighting, surface: Surface, points_mm: Floats, normals: Floats, looks: Strata) -> Floats:
    """Return (n,): what the sky, or the bench below, gives each point along one look."""
    free, upwards = sees_sky(surface, points_mm, normals, looks)
    return np.asarray(np.where(upwards, np.float32(lighting.sky), np.float32(lighting.bounce)) * free)


def tile_mean(values: Floats, counts: NDArray[np.bool_], tile_px: int) -> Floats:
    """Return the mean of the pixels that count over a tile around each; 0 where none does. Values are (h, w, k)."""
    kernel = (tile_px, tile_px)
    weight = cv2.boxFilter(counts.astype(np.float32), -1, kernel, normalize=False)
    total = np.asarray(cv2.boxFilter(values * counts[..., None], -1, kernel, normalize=False))
    return np.asarray(total.reshape(values.shape) / np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
