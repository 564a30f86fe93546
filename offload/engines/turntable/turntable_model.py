"""The turntable as a camera sees it: one fixed camera, one axis, one mat that turns.

A point X of the mat goes to the camera by `Xc = R0 Rz(angle) (A X - o) + t0`: A tilts the mat against the axis,
o is the axis' foot in the (tilted) mat's plane, Rz turns about the axis, R0 and t0 are the camera.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHARED = {
    "focal": slice(0, 1),
    "centre": slice(1, 3),
    "distortion": slice(3, 7),
    "rotation": slice(7, 10),
    "translation": slice(10, 13),
    "tilt": slice(13, 15),
    "offset": slice(15, 17),
}
SHARED_COUNT = 17


def turned(angle_rad: float) -> Floats:
    """(3, 3): rotation about z, counter-clockwise seen from +z."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def rotation_of(vector: Floats) -> Floats:
    """(3, 3): Rodrigues' formula."""
    return np.asarray(cv2.Rodrigues(np.asarray(vector, np.float64))[0], np.float64)


@dataclass(frozen=True)
class TurntableModel:
    """All unknowns of a turntable scan."""

    focal_px: float
    aspect: float
    """fy / fx."""
    centre_px: Floats
    distortion: Floats
    """(5,): k1, k2, p1, p2, k3."""
    R0: Floats
    t0_mm: Floats
    tilt: Floats
    """(3, 3): A."""
    offset_mm: Floats
    """(2,): o."""
    angles_rad: Floats
    """(V,)."""

    @property
    def K(self) -> Floats:  # noqa: N802 - the matrix' own name
        """(3, 3)."""
        cx, cy = self.centre_px
        return np.array([[self.focal_px, 0, cx], [0, self.focal_px * self.aspect, cy], [0, 0, 1.0]])

    def pose(self, view: int) -> tuple[Floats, Floats]:
        """Return R (3, 3) and t (3,), camera from mat."""
        R = self.R0 @ turned(float(self.angles_rad[view]))
        return R @ self.tilt, self.t0_mm - R[:, :2] @ self.offset_mm

    def project(self, view: int, points_mm: Floats) -> Floats:
        """(n, 2): where points (n, 2) on the mat appear in the distorted photo."""
        return self.project_with_jacobian(view, points_mm)[0]

    def project_with_jacobian(self, view: int, points_mm: Floats) -> tuple[Floats, Floats]:
        """Return pixels (n, 2) and their derivatives (n, 2, 18): the shared unknowns, then this view's angle.

        Rotations are varied on the left: R0 ← exp(w) R0, A ← exp((a, b, 0)) A.
        """
        turn = turned(float(self.angles_rad[view]))
        camera_turn = self.R0 @ turn
        tilted = points_mm @ self.tilt[:, :2].T
        on_table = tilted - np.append(self.offset_mm, 0.0)
        in_table = on_table @ turn.T
        before_shift = in_table @ self.R0.T
        pixels, by_camera, lens = self._lens_with_jacobian(before_shift + self.t0_mm)
        jacobian = np.zeros((len(points_mm), 2, SHARED_COUNT + 1))
        jacobian[:, :, :7] = lens
        axes = np.eye(3)
        jacobian[:, :, SHARED["rotation"]] = _through(by_camera, [np.cross(e, before_shift) for e in axes])
        jacobian[:, :, SHARED["translation"]] = by_camera
        tilts = [np.cross(e, tilted) @ camera_turn.T for e in axes[:2]]
        jacobian[:, :, SHARED["tilt"]] = _through(by_camera, tilts)
        jacobian[:, :, SHARED["offset"]] = -by_camera @ camera_turn[:, :2]
        jacobian[:, :, SHARED_COUNT:] = _through(by_camera, [np.cross(axes[2], in_table) @ self.R0.T])
        return pixels, jacobian

    def _lens_with_jacobian(self, camera_mm: Floats) -> tuple[Floats, Floats, Floats]:
        """Pixels, their derivatives by the camera point (n, 2, 3) and by focal, centre, k1, k2, p1, p2 (n, 2, 7)."""
        k1, k2, p1, p2, k3 = self.distortion
        depth = camera_mm[:, 2]
        x, y = camera_mm[:, 0] / depth, camera_mm[:, 1] / depth
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2 * (k1 + r2 * (2 * k2 + 3 * k3 * r2))
        bent = np.stack([x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                         y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], axis=1)  # fmt: skip
        focal = np.array([self.focal_px, self.focal_px * self.aspect])
        cross = x * y * slope + 2 * p1 * x + 2 * p2 * y
        by_x = np.stack([radial + x * x * slope + 2 * p1 * y + 6 * p2 * x, cross], axis=1)
        by_y = np.stack([cross, radial + y * y * slope + 6 * p1 * y + 2 * p2 * x], axis=1)
        by_camera = np.stack([by_x, by_y, -(by_x * x[:, None] + by_y * y[:, None])], axis=2)
        by_camera *= (focal[None, :] / depth[:, None])[:, :, None]
        lens = np.zeros((len(x), 2, 7))
        lens[:, :, 0] = bent * [1.0, self.aspect]
        lens[:, 0, 1] = lens[:, 1, 2] = 1
        ray = np.stack([x, y], axis=1)
        tangential = [np.stack([2 * x * y, r2 + 2 * y * y], axis=1), np.stack([r2 + 2 * x * x, 2 * x * y], axis=1)]
        bends = [ray * r2[:, None], ray * (r2 * r2)[:, None], *tangential]
        lens[:, :, 3:7] = np.stack(bends, axis=2) * focal[None, :, None]
        return bent * focal + self.centre_px, by_camera, lens

    def moved(self, shared: Floats, angles_rad: Floats) -> "TurntableModel":
        """Return the model after a step: shared unknowns (17,), angles (V,)."""
        tilt_step = np.append(shared[SHARED["tilt"]], 0.0)
        return replace(
            self,
            focal_px=float(self.focal_px + shared[0]),
            centre_px=self.centre_px + shared[SHARED["centre"]],
            distortion=self.distortion + np.append(shared[SHARED["distortion"]], 0.0),
            R0=rotation_of(shared[SHARED["rotation"]]) @ self.R0,
            t0_mm=self.t0_mm + shared[SHARED["translation"]],
            tilt=rotation_of(tilt_step) @ self.tilt,
            offset_mm=self.offset_mm + shared[SHARED["offset"]],
            angles_rad=self.angles_rad + angles_rad,
        )


def _through(by_camera: Floats, motions: list[Floats]) -> Floats:
    """(n, 2, m): pixel motion for m motions (n, 3) of the camera points."""
    return np.asarray(by_camera @ np.stack(motions, axis=2))
