"""Where the camera stood while the scan still runs: from the mat, else from the photos before, else a guess."""

import math

import numpy as np

from offload.geometry.lens import Floats, Lens
from offload.geometry.pose import Pose
from offload.geometry.turntable import turned
from offload.wire.bundle import Place
from scannerd.coverage.sighting import Mask
from scannerd.geometry.mat_pose import camera_from_mat, corners_of
from scannerd.quality.look import MatReading
from scannerd.scan.plan import ScanPlan

GUESSED_ELEVATION_DEG = 30.0
GUESSED_DISTANCE_MM = 500.0
GOOD_PX_AT_1600 = 4.0
"""A reading that fits worse, in a photo 1600 px wide, is wrong; the nominal lens alone may leave a pixel or two."""


class Cameras:
    """One camera, wherever it stood: remembers the latest good reading of each turn."""

    def __init__(self, plan: ScanPlan) -> None:
        """`plan` as that camera has it."""
        size_px = (plan.photo_width_px, plan.photo_height_px)
        known = plan.intrinsics
        self.lens = Lens.of(known).at_size(*size_px) if known is not None else Lens.nominal(plan.camera, *size_px)
        self.guessed = True
        """Until a photo shows the mat."""
        self._mat = plan.mat
        self._latest: dict[tuple[int, int], tuple[Pose, float]] = {}
        self._guess: dict[tuple[int, int], Pose] = {}
        self._lenses: dict[tuple[int, int], Lens] = {}

    def lens_at(self, width_px: int, height_px: int) -> Lens:
        """Return the lens of photos made smaller: one for all of a size, since every sighting keeps its own."""
        size_px = (width_px, height_px)
        if size_px not in self._lenses:
            self._lenses[size_px] = self.lens.at_size(*size_px)
        return self._lenses[size_px]

    def pose(self, place: Place, angle_deg: float, reading: MatReading | None, mask: Mask | None) -> Pose | None:
        """Return camera from mat; None before anything can be told."""
        turn = (place.side, place.ring)
        read = self._read(reading)
        if read is not None:
            self._latest[turn] = (read, angle_deg)
            self.guessed = False
            return read
        if turn in self._latest:
            pose, then_deg = self._latest[turn]
            return _turned_on(pose, angle_deg - then_deg)
        if self._mat is not None and not self.guessed:
            return None
        if turn not in self._guess and mask is not None and mask.any():
            self._guess[turn] = _guessed(place, mask, self.lens)
        return _turned_on(self._guess[turn], angle_deg) if turn in self._guess else None

    def _read(self, reading: MatReading | None) -> Pose | None:
        if reading is None or self._mat is None:
            return None
        corners = corners_of(self._mat, reading.numbers, reading.pixels)
        if not corners.fixes_a_pose(self._mat.square_mm):
            return None
        pose = camera_from_mat(corners, self.lens)
        limit_px = GOOD_PX_AT_1600 * self.lens.width_px / 1600
        return pose if pose is not None and corners.rms_px(pose, self.lens) <= limit_px else None


def _turned_on(pose: Pose, by_deg: float) -> Pose:
    """The platter went on under the same camera; the mat's middle is taken for the axis."""
    return Pose(pose.R @ turned(math.radians(by_deg)), pose.t_mm)


def _guessed(place: Place, mask: Mask, lens: Lens) -> Pose:
    """Return a camera at angle 0 whose picture of the mask's lowest point lies on the platter.

    Only angles can be right: without a mat nobody knows how large the object is.
    """
    elevation_deg = place.elevation_deg if place.elevation_deg is not None else GUESSED_ELEVATION_DEG
    small = lens.at_size(mask.shape[1], mask.shape[0])
    lowest = int(np.flatnonzero(mask.any(axis=1))[-1])
    down = math.radians(elevation_deg)
    below = math.atan((lowest - small.centre_px[1]) / (small.focal_px * small.aspect))
    target_mm = GUESSED_DISTANCE_MM * (math.cos(down) * math.tan(min(down + below, 1.5)) - math.sin(down))
    return camera_at(elevation_deg, 0.0, GUESSED_DISTANCE_MM, np.array([0.0, 0.0, target_mm]))


def camera_at(elevation_deg: float, azimuth_deg: float, distance_mm: float, target_mm: Floats) -> Pose:
    """Return the upright camera that looks at a target from an elevation; azimuth 0 is the negative y side."""
    down, around = math.radians(elevation_deg), math.radians(azimuth_deg)
    forward = np.array([-math.sin(around) * math.cos(down), math.cos(around) * math.cos(down), -math.sin(down)])
    right = np.array([math.cos(around), math.sin(around), 0.0])
    R = np.stack([right, np.cross(forward, right), forward])
    return Pose(R, -R @ (target_mm - distance_mm * forward))
