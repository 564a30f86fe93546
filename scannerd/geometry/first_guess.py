"""Where a turn's camera and axis roughly are, from each photo's own pose: the most agreed-upon one."""

import math
from collections.abc import Mapping

import numpy as np

from offload.geometry.lens import Floats
from offload.geometry.pose import Pose
from offload.geometry.turntable import Stand, turned

FARTHEST_RAD = 0.2
"""Poses that disagree by more are counted as wrong, however wrong they are."""


def first_stand(poses: Mapping[int, Pose], commanded_rad: Mapping[int, float]) -> tuple[Stand, dict[int, float], int]:
    """Return the stand, each photo's angle in the platter's own direction, and that direction: 1 or -1.

    Turned back by its angle every photo shows the same camera. The photo whose camera most others agree with is
    believed, so that some wrong readings, or a slip in the middle, do not matter.
    """
    views = sorted(poses)
    believed = {sign: _most_agreed(poses, commanded_rad, views, sign) for sign in (1, -1)}
    sign = min(believed, key=lambda way: believed[way][1])
    anchor = believed[sign][0]
    R0 = poses[anchor].R @ turned(-sign * commanded_rad[anchor])
    stand = Stand(R0=R0, t0_mm=poses[anchor].t_mm, tilt=np.eye(3), offset_mm=np.zeros(2))
    angles = {}
    for view in views:
        turn = R0.T @ poses[view].R
        off = math.atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]) - sign * commanded_rad[view]
        angles[view] = sign * commanded_rad[view] + math.remainder(off, math.tau)
    return stand, angles, sign


def _most_agreed(
    poses: Mapping[int, Pose], commanded_rad: Mapping[int, float], views: list[int], sign: int
) -> tuple[int, float]:
    """Return the photo nearest to all others, and how far it is from them together."""
    cameras = np.stack([poses[view].R @ turned(-sign * commanded_rad[view]) for view in views])
    far = [float(_apart_rad(cameras, camera).sum()) for camera in cameras]
    best = int(np.argmin(far))
    return views[best], far[best]


def _apart_rad(cameras: Floats, camera: Floats) -> Floats:
    """(n,): angle between rotations, no more than the farthest that counts."""
    trace = np.einsum("nij,ij->n", cameras, camera)
    return np.asarray(np.minimum(np.arccos(np.clip((trace - 1) / 2, -1, 1)), FARTHEST_RAD))
