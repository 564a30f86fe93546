"""Silhouettes of what stands on a mat: where a photo differs from the mat's look there, or from the background.

A mask that eats the object is worse than one that leaks: the hull keeps a leak only where nearly all views leak.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Flags, Photo, StaticBackground, mat_footprint, matched_gain
from offload.engines.turntable.mask_shape import Mask, closed, disc, large_parts, opened, without_blind_holes
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
FAINT_BRIGHTER, FAINT_DARKER = 0.3, 0.6
"""Shares of those differences that count beside a place that clearly differs."""
AGREES = 0.75
"""Correlation of a small window with what is expected behind from which on that is surely seen."""
PLAIN_AGREES = 0.3
"""Share of the mat's levels within which the inside of a square looks as it must."""
LIKE_LEVELS = 6.0
FEW = 0.1
"""Share of the object's surroundings up to which it does not have a square's colour."""
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


def silhouette(scene: MatScene, photo: Photo, R: Floats, t_mm: Floats) -> Mask:
    """Return (H, W), 1 on the object; `photo` (H, W, 3) BGR is undistorted."""
    smooth = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.7), np.float32)
    on_mat, pattern = _mat_in_view(scene, photo.shape[:2], R, t_mm)
    mat_difference, mat_seen = _against_mat(scene, smooth, on_mat, pattern)
    still_difference, still_seen = _against_background(scene, photo, smooth, on_mat)
    table_difference, table_seen = _against_table(scene, smooth, R, t_mm)
    beside_difference = np.fmin(still_difference, table_difference)
    beside_seen = still_seen | table_seen
    # What is darker but shows the mat's pattern lies in the object's shadow.
    on_mat_differs = (mat_difference > 1) | ((mat_difference < -1) & ~mat_seen)
    differs = np.where(on_mat, on_mat_differs, beside_difference > 1)
    plain_seen = _plain_mat_seen(smooth, pattern, mat_difference, on_mat, differs, scene.square_px)
    seen = np.where(on_mat, mat_seen | plain_seen, beside_seen & ~on_mat)
    mask = shaped(differs, on_mat & _faint(mat_difference), seen, scene.square_px)
    unsure = ~on_mat & ~seen & (np.zeros_like(on_mat) if scene.background is None else ~scene.background.sure)
    return _flooded(photo, mask, unsure, scene.square_px)


def _mat_in_view(scene: MatScene, shape: tuple[int, ...], R: Floats, t_mm: Floats) -> tuple[Flags, Grey]:
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


def _against_background(scene: MatScene, photo: Photo, smooth: Grey, on_mat: Flags) -> tuple[Grey, Flags]:
    """Difference from what stands still behind, 1 where it counts; and where that is surely seen."""
    background = scene.background
    if background is None:
        return np.full(on_mat.shape, np.nan, np.float32), np.zeros(on_mat.shape, bool)
    gain = matched_gain(background, photo, on_mat)
    expected = cv2.GaussianBlur(background.picture, (0, 0), 0.7).astype(np.float32) * gain
    return _compared(smooth, expected, background.known, background.sure, BACKGROUND_LEVELS)


def _against_table(scene: MatScene, smooth: Grey, R: Floats, t_mm: Floats) -> tuple[Grey, Flags]:
    """The same for what turns with the mat around it."""
    height, width = smooth.shape[:2]
    if scene.table is None:
        return np.full((height, width), np.nan, np.float32), np.zeros((height, width), bool)
    picture, known = scene.table.in_view(scene.K, R, t_mm, (width, height))
    return _compared(smooth, np.asarray(picture, np.float32), known, known, MAT_LEVELS)


def _compared(smooth: Grey, expected: Grey, known: Flags, sure: Flags, levels: float) -> tuple[Grey, Flags]:
    """Difference, 1 where it counts, not a number where nothing is known; and where the expected is surely seen."""
    difference = np.abs(smooth - expected).max(axis=2) / levels
    alike = correlated(grey_of(smooth), grey_of(expected), 60.0)
    calm = cv2.blur(difference, (5, 5)) < STILL_AGREES
    return np.where(known, difference, np.nan).astype(np.float32), (alike & known) | (calm & sure)


def _against_mat(scene: MatScene, smooth: Grey, on_mat: Flags, pattern: Grey) -> tuple[Grey, Flags]:
    """Difference from the mat's look, beyond ±1 where it counts, negative where darker; where mat is surely seen."""
    grey = grey_of(smooth)
    expected = _expected_mat(grey, pattern, on_mat, scene.square_px)
    edges = np.abs(cv2.Sobel(expected, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(expected, cv2.CV_32F, 0, 1))
    above = grey - expected
    beyond_misfit = np.maximum(np.abs(above) - EDGE_SHARE * 2 * cv2.GaussianBlur(edges, (0, 0), 1.0), 0)
    balance = _mat_colour(smooth, on_mat, grey, expected)
    chroma = (smooth / balance - grey[..., None]).max(axis=2) - (smooth / balance - grey[..., None]).min(axis=2)
    difference = np.maximum(beyond_misfit / MAT_LEVELS, chroma / COLOUR_LEVELS)
    return np.copysign(difference, above).astype(np.float32), correlated(grey, pattern, 900.0) & on_mat


def _mat_colour(smooth: Grey, on_mat: Flags, grey: Grey, expected: Grey) -> Grey:
    """(3,): the light's colour on the paper, channel over grey."""
    paper = on_mat & (np.abs(grey - expected) < MAT_LEVELS / 2) & (grey > 60)
    if paper.sum() < 50:
        return np.ones(3, np.float32)
    return np.asarray(np.median(smooth[paper] / grey[paper][:, None], axis=0), np.float32)


def _expected_mat(grey: Grey, pattern: Grey, on_mat: Flags, square_px: float) -> Grey:
    """How bright the mat must look: its print, times the light that its visible parts show around each place.

    Ink keeps the same share of the paper's brightness under any light, so both tell of the light.
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
        light = _local_light(grey, print_share, plausible, white, square_px)
    return np.asarray(light * print_share, np.float32)


def _local_light(grey: Grey, print_share: Grey, where: Flags, otherwise: float, square_px: float) -> Grey:
    """Least squares of grey = light x print over flagged pixels within about a square, at quarter resolution."""
    height, width = grey.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    flagged = where.astype(np.float32)
    weight = cv2.resize(flagged * print_share * print_share, small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(flagged * print_share * grey, small, interpolation=cv2.INTER_AREA)
    sigma = max(square_px / 5, 2.0)
    weight, total = cv2.GaussianBlur(weight, (0, 0), sigma), cv2.GaussianBlur(total, (0, 0), sigma)
    # A faint belief in the overall level decides where nothing is flagged nearby.
    light = (total + 0.004 * otherwise) / (weight + 0.004)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _flooded(photo: Photo, mask: Mask, unsure: Flags, square_px: float) -> Mask:
    """Divide what could be object or background between both, along the edges of the photo (watershed).

    Without a photo of the empty table, a plain object that always covers a place looks like background there.
    """
    open_pixels = unsure & (mask == 0)
    if open_pixels.sum() < square_px:
        return mask
    markers = np.where(mask > 0, 1, 2).astype(np.int32)
    markers[open_pixels] = 0
    cv2.watershed(photo, markers)
    # Watershed's own lines (-1) go to the object: a leak of a pixel is better than a bite.
    taken = (markers == 1) | ((markers == -1) & (cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0))
    return large_parts(opened(np.asarray(mask | (taken & open_pixels), np.uint8), 3), 0.01)


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


def _plain_mat_seen(
    smooth: Grey, pattern: Grey, mat_difference: Grey, on_mat: Flags, differs: Flags, square_px: float
) -> Flags:
    """Where the inside of a black or white square looks as it must, and the object nearby has no such colour.

    Only then is likeness a proof: a black foot on a black square looks like the square.
    """
    calm = on_mat & (cv2.blur(np.abs(mat_difference), (3, 3)) < PLAIN_AGREES)
    window = (_odd(2 * square_px), _odd(2 * square_px))
    grey = grey_of(smooth)
    core = opened((differs & on_mat).astype(np.uint8), 3).astype(np.float32)
    around = cv2.blur(core, window)
    proof = np.zeros(on_mat.shape, bool)
    for plain in (pattern < 8, pattern > 247):
        level = grey[calm & plain]
        if level.size == 0:
            continue
        low, high = np.percentile(level, 10) - LIKE_LEVELS, np.percentile(level, 90) + LIKE_LEVELS
        alike = cv2.blur(core * ((grey > low) & (grey < high)), window)
        proof |= calm & plain & (alike < FEW * around + 1e-3)
    return proof


def _faint(mat_difference: Grey) -> Flags:
    """Where the mat looks a little wrong over a small window; a shadow makes it darker, nothing makes it brighter."""
    calm = cv2.blur(mat_difference, (3, 3))
    return np.asarray((calm > FAINT_BRIGHTER) | (calm < -FAINT_DARKER), bool)


def shaped(differs: Flags, faint: Flags, behind_seen: Flags, square_px: float) -> Mask:
    """From differing pixels to a silhouette.

    It grows into faint differences beside clear ones (a dark foot on a black square). Gaps are bridged: everywhere
    those of chance likeness, and as wide as a square where nothing behind is positively seen (a white object
    hides on white paper). A hole stays open only where mat or background is seen through it.
    """
    small, wide = _odd(square_px / 3), _odd(square_px * 1.1)
    core = large_parts(closed(opened(differs.astype(np.uint8), 2), small), 0.01)
    near = np.asarray(cv2.dilate(core, disc(_odd(square_px * 0.8))), np.uint8)
    grown = core | (opened((faint & ~behind_seen).astype(np.uint8), 3) & near)
    mask = large_parts(closed(np.asarray(grown, np.uint8), small), 0.01)
    mask |= closed(mask, wide) & (~behind_seen).astype(np.uint8)
    mask = without_blind_holes(mask, behind_seen, 0.5 * square_px**2)
    return large_parts(opened(mask, 3), 0.01)


def _odd(length_px: float) -> int:
    return max(3, 2 * round(length_px / 2) + 1)
