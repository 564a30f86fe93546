"""Which way is up, and how a frame with its own up stands upright in another."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLAT_RING = 0.35
"""Spread of the cameras across their plane over that within it, below which they count as one ring."""


def level(up: Floats) -> tuple[Floats, Floats]:
    """Return right and ahead: with `up` (3,) a right-handed frame; x and y when up is z."""
    helper = np.array([0.0, 1.0, 0.0]) if abs(up[1]) < 0.9 else np.array([0.0, 0.0, -1.0])
    right = np.cross(helper, up)
    right /= np.linalg.norm(right)
    return right, np.cross(up, right)


def to_gltf(up: Floats, metres_per_unit: float) -> Floats:
    """(4, 4): from a frame with this up and unit to glTF's: metres, Y up, what lay ahead at -z."""
    right, ahead = level(up)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, -ahead]) * metres_per_unit
    return matrix


def up_of_cameras(centres: Floats, R: Floats, target: Floats) -> Floats:
    """(3,): the axis of the ring that the cameras (V, 3) stand on, towards the side they look down from.

    Where they are no ring, or stand level with the target, the cameras' own up decides.
    """
    own = -R[:, 1].mean(axis=0)
    spread = centres - centres.mean(axis=0)
    _, sizes, axes = np.linalg.svd(spread, full_matrices=False)
    if len(centres) < 3 or sizes[2] > FLAT_RING * sizes[1]:
        return np.asarray(own / max(float(np.linalg.norm(own)), 1e-12))
    axis = axes[2]
    above = float((centres.mean(axis=0) - target) @ axis)
    radius = float(np.linalg.norm(spread, axis=1).mean())
    sense = above if abs(above) > 0.05 * radius else float(own @ axis)
    return np.asarray(axis if sense >= 0 else -axis)
