"""How fast the object's rim moves in a photo when the platter turns."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.scene import Scene
from drivers.bench.truth import true_pose

_NUDGE_DEG = 0.05
_VERTICES = 20_000
"""So many of them tell as much as all."""


def rim_px_per_deg(scene: Scene, width_px: int, height_px: int, platter_angle_deg: float) -> float:
    """Return how far the fastest point of the object moves, in pixels of a photo, per degree of the platter.

    Lens distortion, at most a percent there, is left out.
    """
    vertices = scene.thing.vertices_mm
    points = vertices[:: max(1, len(vertices) // _VERTICES)].astype(np.float64)
    seen = [
        _projected(scene, points, (width_px, height_px), platter_angle_deg + nudge_deg)
        for nudge_deg in (-_NUDGE_DEG, _NUDGE_DEG)
    ]
    return float(np.linalg.norm(seen[1] - seen[0], axis=1).max() / (2 * _NUDGE_DEG))


def _projected(
    scene: Scene, points_mm: NDArray[np.float64], size_px: tuple[int, int], platter_angle_deg: float
) -> NDArray[np.float64]:
    """Return where points (n, 3) of the object are seen, (n, 2), with a lens that does not distort."""
    R, t = true_pose(scene, platter_angle_deg)
    camera = points_mm @ R.T + t
    pixels = camera @ scene.camera.matrix_px(*size_px).T
    return np.asarray(pixels[:, :2] / pixels[:, 2:])
