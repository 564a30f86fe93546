"""The turntable as its camera sees it: one lens, and for each turn one camera, one axis and one mat that turns.

A point X of the mat goes to the camera by `R0 Rz(angle) (A X - o) + t0`: A tilts the mat against the axis, o is the
axis' foot in the tilted mat's plane, Rz turns about the axis, R0 and t0 are the camera.
"""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from offload.geometry.lens import LENS_UNKNOWNS, Floats, Lens
from offload.geometry.pose import Pose

STAND_UNKNOWNS = 10
"""Rotation (3), translation (3), tilt (2), offset (2)."""


def turned(angle_rad: float) -> Floats:
    """(3, 3): rotation about z, counter-clockwise seen from +z."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def rotation_of(vector: Floats) -> Floats:
    """(3, 3): Rodrigues' formula."""
    return np.asarray(cv2.Rodrigues(np.asarray(vector, np.float64))[0], np.float64)


@dataclass(frozen=True)
class Stand:
    """Where camera, axis and mat stood during one turn."""

    R0: Floats
    t0_mm: Floats
    tilt: Floats
    """(3, 3): A."""
    offset_mm: Floats
    """(2,): o."""

    def pose(self, angle_rad: float) -> Pose:
        """Return camera from mat."""
        R = self.R0 @ turned(angle_rad)
        return Pose(R @ self.tilt, self.t0_mm - R[:, :2] @ self.offset_mm)

    @property
    def axis(self) -> Floats:
        """(3,): unit vector of the axis in the mat's frame."""
        return np.asarray(self.tilt[2])

    @property
    def axis_foot_mm(self) -> Floats:
        """(2,): where the axis meets the mat's plane."""
        on_axis = self.tilt.T @ np.append(self.offset_mm, 0.0)
        return np.asarray((on_axis - self.axis * on_axis[2] / self.axis[2])[:2])

    @property
    def camera_elevation_deg(self) -> float:
        """How far the line of sight points down on the platter."""
        return float(np.rad2deg(np.arcsin(np.clip(-self.R0[2, 2], -1, 1))))

    def moved(self, step: Floats) -> Self:
        """Return it after a step of its ten unknowns; rotations are varied on the left."""
        return replace(
            self,
            R0=rotation_of(step[:3]) @ self.R0,
            t0_mm=self.t0_mm + step[3:6],
            tilt=rotation_of(np.append(step[6:8], 0.0)) @ self.tilt,
            offset_mm=self.offset_mm + step[8:],
        )


def project_with_jacobian(lens: Lens, stand: Stand, angle_rad: float, points_mm: Floats) -> tuple[Floats, Floats]:
    """Return pixels (n, 2) of points (n, 2) on the mat, and derivatives (n, 2, 18): lens, stand, angle."""
    turn = turned(angle_rad)
    camera_turn = stand.R0 @ turn
    tilted = points_mm @ stand.tilt[:, :2].T
    in_table = (tilted - np.append(stand.offset_mm, 0.0)) @ turn.T
    before_shift = in_table @ stand.R0.T
    pixels, by_point, by_lens = lens.project_with_jacobian(before_shift + stand.t0_mm)
    axes = np.eye(3)
    jacobian = np.empty((len(points_mm), 2, LENS_UNKNOWNS + STAND_UNKNOWNS + 1))
    jacobian[:, :, :LENS_UNKNOWNS] = by_lens
    rest = jacobian[:, :, LENS_UNKNOWNS:]
    rest[:, :, 0:3] = by_point @ np.stack([np.cross(e, before_shift) for e in axes], axis=2)
    rest[:, :, 3:6] = by_point
    rest[:, :, 6:8] = by_point @ np.stack([np.cross(e, tilted) @ camera_turn.T for e in axes[:2]], axis=2)
    rest[:, :, 8:10] = -by_point @ camera_turn[:, :2]
    rest[:, :, 10:] = by_point @ (np.cross(axes[2], in_table) @ stand.R0.T)[:, :, None]
    return pixels, jacobian
