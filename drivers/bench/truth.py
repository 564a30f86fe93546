"""Where the simulated camera truly stands, as a perfect calibration would tell it."""

import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.rays import camera_pose, platter_turn
from drivers.bench.scene import Scene
from drivers.bench.wobble import STEADY, Wobble

Matrix = NDArray[np.float64]


def true_pose(
    scene: Scene, platter_angle_deg: float, elevation_deg: float | None = None, wobble: Wobble = STEADY
) -> tuple[Matrix, Matrix]:
    """Return R (3, 3) and t (3,), camera from mat, mm, with platter and camera at these angles.

    Without `elevation_deg` the camera is where the scene has it.
    """
    pose = camera_pose(scene.camera.raised(elevation_deg))
    R = np.asarray(pose.R @ platter_turn(platter_angle_deg, wobble))
    offset = np.array([*scene.mat_offset_mm, 0.0])
    return R, np.asarray(pose.t + R @ offset)
