"""A photo of the empty turntable, and whether the camera stood where it stands now when that was taken.

A plate from elsewhere shows the room in the wrong place: everything would look like an object.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from offload.engines.turntable.background import Flags, Photo, StaticBackground, from_plate, mat_footprint
from offload.engines.turntable.crop import scaled, undistorted
from offload.engines.turntable.mask_evidence import Grey, correlated, grey_of
from offload.engines.turntable.mat import Mat, MatObservation
from offload.engines.turntable.turntable_model import TurntableModel
from offload.geometry.lens import Floats
from offload.wire.bundle import MatSpec

MARGIN_SHARE = 0.08
"""Of the mat's width: the paper's margin around the chequered area, generously."""
PLATE_MARGIN_PX = 4
"""The plate's own mat is cut out this much wider; its edge casts a shadow."""
MOVED_PX = 1.0
"""In the reduced photo: how far the mat may be, on average, from where the turntable can take it."""
ROOM_AGREES = 0.6
"""Of the places where something is to be seen behind, those that look alike in plate and photos; the rest is the
object, which looks still to a ring of photos where it is round and plain."""
ROOM_LEVELS = 60.0
"""Variance of a window where something is to be seen."""
ENOUGH_ROOM = 0.004
"""Of the picture, with something to be seen behind."""


@dataclass(frozen=True)
class Plate:
    """The empty turntable as one stand's lens sees it."""

    background: StaticBackground
    """Reduced, undistorted; unknown where the mat lay."""
    seen: MatObservation
    """In the photo as stored."""
    reduced_by: float


def plate_of(photo: Photo, small: Photo, mat: Mat, K: Floats, distortion: Floats) -> Plate:
    """Read the photo of the empty table, `small` being it reduced; without a mat in it, all of it is background.

    K (3, 3) and distortion (5,) are of the photo as stored.
    """
    height, width = small.shape[:2]
    reduced_by = width / photo.shape[1]
    small_K = scaled(K, reduced_by)
    seen = mat.detect(np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8))
    straight = undistorted(small, small_K, distortion, small_K, (width, height))
    covered = np.zeros((height, width), bool)
    if seen.usable:
        points = np.column_stack([seen.points_mm, np.zeros(len(seen))])
        _, rotation, translation = cv2.solvePnP(points, seen.pixels, K, distortion)
        R, t_mm = np.asarray(cv2.Rodrigues(rotation)[0], np.float64), np.asarray(translation, np.float64).ravel()
        covered = mat_footprint(with_margin(mat.spec), small_K, R, t_mm, (width, height), PLATE_MARGIN_PX)
    return Plate(from_plate(straight, covered), seen, reduced_by)


def with_margin(spec: MatSpec) -> tuple[float, float]:
    """Return the sheet's size, mm, with a margin around the chequered area; how wide it was cut nobody knows."""
    margin_mm = MARGIN_SHARE * max(spec.width_mm, spec.height_mm)
    return spec.width_mm + 2 * margin_mm, spec.height_mm + 2 * margin_mm


def why_not(plate: Plate, turntable: TurntableModel, behind: StaticBackground) -> str | None:
    """Return what shows that the plate is from elsewhere, or None where it may be used.

    `turntable` is the stand's; `behind` is what its photos agree on behind the mat. The mat may have been laid down
    anew since, so where it has moved the room decides, and where there is no room to be seen the mat does.
    """
    off_px = mat_off_px(plate, turntable)
    if off_px is not None and off_px <= MOVED_PX:
        return None
    alike = room_alike(plate.background, behind)
    if alike is None:
        return None if off_px is None else f"its mat is {off_px:.1f} px from where the turntable can take it"
    if alike >= ROOM_AGREES:
        return None
    of_mat = "" if off_px is None else f", and its mat is {off_px:.1f} px from where the turntable can take it"
    return f"only {100 * alike:.0f} % of the room behind look as in the photos{of_mat}"


def mat_off_px(plate: Plate, turntable: TurntableModel) -> float | None:
    """Return how far, in reduced pixels, the plate's mat is from where any turn of the platter puts it.

    None where the plate shows too little of a mat.
    """
    if not plate.seen.usable:
        return None
    candidates = [
        _off_px(plate.seen, turntable, start_rad) for start_rad in np.deg2rad(np.arange(0, 360, 30, dtype=np.float64))
    ]
    return min(candidates) * plate.reduced_by


def _off_px(seen: MatObservation, turntable: TurntableModel, angle_rad: float) -> float:
    """Gauss and Newton on the one angle; root of the mean square at the end."""
    for _ in range(12):
        model = TurntableModel(turntable.lens, turntable.stand, np.array([angle_rad]))
        pixels, jacobian = model.project_with_jacobian(0, seen.points_mm)
        slope, residual = jacobian[:, :, -1].ravel(), (pixels - seen.pixels).ravel()
        angle_rad -= float(np.clip(slope @ residual / max(float(slope @ slope), 1e-9), -0.3, 0.3))
    model = TurntableModel(turntable.lens, turntable.stand, np.array([angle_rad]))
    return float(np.sqrt(np.mean(np.sum((model.project(0, seen.points_mm) - seen.pixels) ** 2, axis=1))))


def room_alike(plate: StaticBackground, behind: StaticBackground) -> float | None:
    """Return the share of the room that looks alike in both, counted where something is to be seen in the photos.

    None where there is too little to tell.
    """
    photo, empty = (_smooth_grey(one.picture) for one in (behind, plate))
    common = behind.sure & plate.known
    told = common & _something(photo)
    if told.mean() < ENOUGH_ROOM:
        return None
    alike = correlated(empty, photo, ROOM_LEVELS)
    # `correlated` leaves out a pixel around what agrees.
    return float(cv2.dilate(alike.astype(np.uint8), np.ones((3, 3), np.uint8))[told].mean())


def _smooth_grey(picture: Photo) -> Grey:
    return grey_of(np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7), np.float32))


def _something(grey: Grey) -> Flags:
    mean = cv2.blur(grey, (9, 9))
    return np.asarray(cv2.blur(grey * grey, (9, 9)) - mean * mean > ROOM_LEVELS)
