"""Signed distances, millimetres, negative inside: simple solids and ways to join them softly."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Place = tuple[float, float, float]


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("nk,nk->n", vectors, vectors)))


def ellipsoid(points_mm: Floats, centre_mm: Place, radii_mm: Place) -> Floats:
    """First-order distance to an ellipsoid along the axes (Quilez, 2008): exact on the surface."""
    radii = np.array(radii_mm, np.float32)
    scaled = (points_mm - np.array(centre_mm, np.float32)) / radii
    level = _length(scaled)
    return np.asarray(level * (level - 1) / np.maximum(_length(scaled / radii), 1e-6))


def cone(points_mm: Floats, start_mm: Place, end_mm: Place, start_radius_mm: float, end_radius_mm: float) -> Floats:
    """A capsule whose radius changes along its axis; near enough to a distance while it tapers gently."""
    start, axis = np.array(start_mm, np.float32), np.subtract(end_mm, start_mm).astype(np.float32)
    share = np.clip((points_mm - start) @ axis / np.float32(axis @ axis), 0, 1)
    radius = start_radius_mm + share * np.float32(end_radius_mm - start_radius_mm)
    return np.asarray(_length(points_mm - start - share[:, None] * axis) - radius)


def ring_across_x(points_mm: Floats, centre_mm: Place, radii_mm: tuple[float, float], thickness_mm: float) -> Floats:
    """A torus whose circle, stretched to an ellipse of two radii (y, z), lies in the plane x = constant."""
    out = points_mm - np.array(centre_mm, np.float32)
    flat = np.column_stack([out[:, 1:], np.zeros(len(out), np.float32)])
    away = ellipsoid(flat, (0, 0, 0), (*radii_mm, 1.0))
    return np.asarray(np.hypot(away, out[:, 0]) - np.float32(thickness_mm))


def join(first: Floats, second: Floats, softness_mm: float) -> Floats:
    """Both solids, with a fillet."""
    gap = np.maximum(softness_mm - np.abs(first - second), 0) / np.float32(softness_mm)
    return np.asarray(np.minimum(first, second) - gap * gap * np.float32(softness_mm / 4))


def cut(solid: Floats, tool: Floats, softness_mm: float) -> Floats:
    """The first without the second, the edge rounded."""
    return np.asarray(-join(-solid, tool, softness_mm))
