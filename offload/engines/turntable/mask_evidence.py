"""What a photo of a turntable must show where the object is not, and how far it agrees."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Flags, Photo, StaticBackground, mat_footprint, matched_gain
from offload.engines.turntable.mat import Mat
from offload.engines.turntable.table_plane import TablePlane

Floats = NDArray[np.float64]
Grey = NDArray[np.float32]

MAT_LEVELS = 28.0
"""Grey levels from the mat's own look at which a pixel is probably something else."""
COLOUR_LEVELS = 20.0
"""Difference of channels beyond the mat's own: paper and ink are grey."""
BACKGROUND_LEVELS = 17.0
EDGE_SHARE = 0.06
"""Of the mat's local contrast that half a pixel of misfit may cost."""
AGREES = 0.75
"""Correlation of a small window with what is expected behind from which on that is surely seen."""
STILL_AGREES = 0.4
"""Mean difference of a small window below which a sure background is surely seen."""


@dataclass(frozen=True)
class MatScene:
    """What all views have in common. Lengths in pixels are those of the photos given to `silhouette`."""

    mat: Mat
    K: Floats
    background: StaticBackground | None
    table: TablePlane | None
    """What lies around the chequered area and turns with it."""
    square_px: float
    """Side of a mat square in the picture, roughly."""


@dataclass(frozen=True)
class Evidence:
    """One explanation of a photo without the object, all (H, W)."""

    expected: Grey
    """(H, W, 3), BGR."""
    known: Flags
    difference: Grey
    """Beyond 1 where the photo differs from it; infinite where nothing is known. On the mat negative where darker."""
    seen: Flags
    """Where this surely is what the photo shows."""


def nothing_known(shape: tuple[int, ...]) -> Evidence:
    """Return the evidence of no explanation."""
    height, width = shape[:2]
    none = np.zeros((height, width), bool)
    return Evidence(
        np.zeros((height, width, 3), np.float32), none, np.full((height, width), np.inf, np.float32), none
    )


def mat_in_view(scene: MatScene, shape: tuple[int, ...], R: Floats, t_mm: Floats) -> tuple[Flags, Grey]:
    """Where the mat lies (H, W), and its grey levels there as printed, 0 to 255."""
    height, width = shape[:2]
    spec = scene.mat.spec
    pixels_per_mm = max(0.5, min(8.0, 1.6 * scene.square_px / spec.square_mm))
    picture = scene.mat.picture(pixels_per_mm)
    homography = scene.K @ np.column_stack([R[:, 0], R[:, 1], t_mm]) @ scene.mat.from_picture(pixels_per_mm)
    pattern = cv2.warpPerspective(picture, homography, (width, height), flags=cv2.INTER_AREA)
    on_mat = mat_footprint((spec.width_mm, spec.height_mm), scene.K, R, t_mm, (width, height))
    on_mat = cv2.erode(on_mat.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return on_mat, np.asarray(cv2.GaussianBlur(pattern, (0, 0), 0.8), np.float32)


def against_background(scene: MatScene, photo: Photo, smooth: Grey, on_mat: Flags) -> Evidence:
    """Compare with what stands still behind."""
    background = scene.background
    if background is None:
        return nothing_known(on_mat.shape)
    gain = matched_gain(background, photo, on_mat)
    expected = cv2.GaussianBlur(background.picture, (0, 0), 0.7).astype(np.float32) * gain
    return _compared(smooth, expected, background.known, background.sure, BACKGROUND_LEVELS)


def against_table(scene: MatScene, smooth: Grey, R: Floats, t_mm: Floats) -> Evidence:
    """Compare with what turns with the mat around it."""
    height, width = smooth.shape[:2]
    if scene.table is None:
        return nothing_known(smooth.shape)
    picture, known = scene.table.in_view(scene.K, R, t_mm, (width, height))
    return _compared(smooth, np.asarray(picture, np.float32), known, known, MAT_LEVELS)


def _compared(smooth: Grey, expected: Grey, known: Flags, sure: Flags, levels: float) -> Evidence:
    difference = np.abs(smooth - expected).max(axis=2) / levels
    alike = correlated(grey_of(smooth), grey_of(expected), 60.0)
    calm = cv2.blur(difference, (5, 5)) < STILL_AGREES
    limited = np.where(known, difference, np.inf).astype(np.float32)
    return Evidence(expected, known, limited, (alike & known) | (calm & sure))


def against_mat(scene: MatScene, smooth: Grey, on_mat: Flags, pattern: Grey) -> Evidence:
    """Compare with the mat's look; the difference is negative where the photo is darker."""
    grey = grey_of(smooth)
    seen = correlated(grey, pattern, 900.0) & on_mat
    expected = _expected_mat(grey, pattern, on_mat, seen, scene.square_px)
    edges = np.abs(cv2.Sobel(expected, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(expected, cv2.CV_32F, 0, 1))
    above = grey - expected
    beyond_misfit = np.maximum(np.abs(above) - EDGE_SHARE * 2 * cv2.GaussianBlur(edges, (0, 0), 1.0), 0)
    balance = _mat_colour(smooth, on_mat, grey, expected)
    chroma = (smooth / balance - grey[..., None]).max(axis=2) - (smooth / balance - grey[..., None]).min(axis=2)
    difference = np.maximum(beyond_misfit / MAT_LEVELS, chroma / COLOUR_LEVELS)
    signed = np.copysign(difference, above).astype(np.float32)
    return Evidence(expected[..., None] * balance, on_mat, signed, seen)


def _mat_colour(smooth: Grey, on_mat: Flags, grey: Grey, expected: Grey) -> Grey:
    """(3,): the light's colour on the paper, channel over grey."""
    paper = on_mat & (np.abs(grey - expected) < MAT_LEVELS / 2) & (grey > 60)
    if paper.sum() < 50:
        return np.ones(3, np.float32)
    return np.asarray(np.median(smooth[paper] / grey[paper][:, None], axis=0), np.float32)


def _expected_mat(grey: Grey, pattern: Grey, on_mat: Flags, seen: Flags, square_px: float) -> Grey:
    """How bright the mat must look: its print, times the light that its visible parts show around each place.

    Ink keeps the same share of the paper's brightness under any light, so both tell of the light. Close to where
    the pattern is surely seen, what it shows there is believed even in deep shadow.
    """
    is_white, is_black = on_mat & (pattern > 245), on_mat & (pattern < 10)
    white = float(np.median(grey[is_white])) if is_white.any() else 200.0
    black = float(np.median(grey[is_black])) if is_black.any() else 50.0
    ink = float(np.clip(black / max(white, 1.0), 0.05, 0.9))
    print_share = np.asarray(ink + (1 - ink) * pattern / 255, np.float32)
    sharp = is_white | is_black
    light = np.full(grey.shape, white, np.float32)
    for tolerance in (0.3, 0.2):
        expected = light * print_share
        plausible = sharp & (np.abs(grey - expected) < tolerance * light * (1 - ink) * (0.4 + 0.6 * print_share) + 4)
        light = _local_light(grey, print_share, plausible, np.full_like(grey, white), square_px / 5)
    near = _local_light(grey, print_share, sharp & seen, light, square_px / 12)
    return np.asarray(near * print_share, np.float32)


def _local_light(grey: Grey, print_share: Grey, where: Flags, otherwise: Grey, sigma: float) -> Grey:
    """Least squares of grey = light x print over flagged pixels nearby, at quarter resolution as `sigma` is."""
    height, width = grey.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    flagged = where.astype(np.float32)
    weight = cv2.resize(flagged * print_share * print_share, small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(flagged * print_share * grey, small, interpolation=cv2.INTER_AREA)
    sigma = max(sigma, 1.5)
    weight, total = cv2.GaussianBlur(weight, (0, 0), sigma), cv2.GaussianBlur(total, (0, 0), sigma)
    # A faint belief in what was known before decides where nothing is flagged nearby.
    before = cv2.resize(otherwise, small, interpolation=cv2.INTER_AREA)
    light = (total + 0.004 * before) / (weight + 0.004)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def grey_of(picture: Grey) -> Grey:
    """(H, W) from (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)


def correlated(seen: Grey, expected: Grey, least_variance: float) -> Flags:
    """Where small windows look like what is expected there and that is no plain area: nothing else looks so."""

    def mean(values: Grey) -> Grey:
        return np.asarray(cv2.blur(values, (9, 9)), np.float32)

    mean_expected, mean_seen = mean(expected), mean(seen)
    var_expected = mean(expected * expected) - mean_expected * mean_expected
    var_seen = mean(seen * seen) - mean_seen * mean_seen
    covariance = mean(expected * seen) - mean_expected * mean_seen
    correlation = covariance / np.sqrt(np.maximum(var_expected * var_seen, 1.0))
    agrees = ((correlation > AGREES) & (var_expected > least_variance)).astype(np.uint8)
    # A window at the object's edge may still agree by the half that lies behind it.
    return np.asarray(cv2.erode(agrees, np.ones((3, 3), np.uint8)), bool)
