"""Corners of a mat as a perfect detector would see them on the bench's turntable, with noise and with mistakes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.scene import Scene, SceneCamera, SceneObject
from drivers.bench.truth import true_pose
from offload.geometry.lens import Lens
from offload.geometry.pose import Pose
from offload.wire.bundle import CameraModel, MatSpec
from scannerd.geometry.joint_poses import SeenFrame
from scannerd.geometry.mat_pose import MatCorners, corners_of

MAT = MatSpec(columns=15, rows=15, square_mm=18.0, marker_mm=13.5)
WIDTH_PX, HEIGHT_PX = 1600, 1200
CAMERA = CameraModel(make="scannerd", model="bench", focal_length_mm=9.0, pixel_pitch_um=3.9294)
NOTHING = SceneObject(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.uint32))


@dataclass
class BenchTurn:
    """One turn of the bench's table under a camera of this elevation."""

    elevation_deg: float = 30.0
    ring: int = 0
    side: int = 0
    views: int = 36
    noise_px: float = 0.08
    seed: int = 1
    slip_deg: dict[int, float] = field(default_factory=dict)
    """View → how far the platter is off from that view on."""

    @property
    def scene(self) -> Scene:
        return Scene(NOTHING, charuco_mat(), SceneCamera(elevation_deg=self.elevation_deg))

    def true_angle_deg(self, view: int) -> float:
        return 360 * view / self.views + sum(off for first, off in self.slip_deg.items() if view >= first)

    def true_pose(self, view: int) -> Pose:
        R, t_mm = true_pose(self.scene, self.true_angle_deg(view))
        return Pose(R, t_mm)

    def frames(self, first_index: int = 0) -> list[SeenFrame]:
        random = np.random.default_rng(self.seed + 1000 * self.ring)
        return [
            SeenFrame(
                index=first_index + view,
                file=f"frames/{first_index + view:04d}.jpg",
                ring=self.ring,
                side=self.side,
                commanded_deg=360 * view / self.views + 360 * self.ring,
                corners=self._corners(view, random),
            )
            for view in range(self.views)
        ]

    def _corners(self, view: int, random: np.random.Generator) -> MatCorners:
        numbers = np.arange((MAT.columns - 1) * (MAT.rows - 1))
        whole = corners_of(MAT, numbers, np.zeros((len(numbers), 2)))
        points = np.column_stack([whole.points_mm, np.zeros(len(whole))])
        pixels = true_lens().project(self.true_pose(view).apply(points))
        inside = np.all((pixels >= 8) & (pixels < [WIDTH_PX - 8, HEIGHT_PX - 8]), axis=1)
        # What stands in the middle hides what is behind it.
        hidden = (np.hypot(*whole.points_mm.T) < 60) | ~inside
        noisy = pixels + random.normal(0, self.noise_px, pixels.shape)
        return MatCorners(whole.points_mm[~hidden], noisy[~hidden])


def true_lens(camera: SceneCamera | None = None) -> Lens:
    camera = camera or SceneCamera()
    K = camera.matrix_px(WIDTH_PX, HEIGHT_PX)
    return Lens(WIDTH_PX, HEIGHT_PX, K[0, 0], 1.0, (K[0, 2], K[1, 2]), camera.distortion)


def object_points_mm() -> NDArray[np.float64]:
    """(n, 3): a barrel where an object would stand, mat frame."""
    around = np.deg2rad(np.arange(0, 360, 20))
    rings = [np.column_stack([r * np.cos(around), r * np.sin(around), np.full(len(around), z)]) for r, z in
             ((30, 5), (45, 60), (45, 100), (20, 150))]  # fmt: skip
    return np.concatenate(rings)
