"""Silhouettes of what stands on a mat: where a photo differs from the mat's look there, or from the background.

A mask that eats the object is worse than one that leaks: the hull keeps a leak only where nearly all views leak.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.background import Flags, Photo
from offload.engines.turntable.mask_edge import Behind
from offload.engines.turntable.mask_evidence import (
    Evidence,
    Grey,
    MatScene,
    against_background,
    against_mat,
    against_table,
    grey_of,
    mat_in_view,
)
from offload.engines.turntable.mask_shape import Mask, closed, disc, large_parts, opened, without_blind_holes

Floats = NDArray[np.float64]

FAINT_BRIGHTER, FAINT_DARKER = 0.3, 0.6
"""Shares of those differences that count beside a place that clearly differs."""
PLAIN_AGREES = 0.3
"""Share of the mat's levels within which the inside of a square looks as it must."""
LIKE_LEVELS = 6.0
FEW = 0.05
"""Share of the object's surroundings up to which it does not have a square's colour."""


def silhouette(scene: MatScene, photo: Photo, R: Floats, t_mm: Floats) -> tuple[Mask, Behind]:
    """Return (H, W), 1 on the object, and what the photo would show without; `photo` (H, W, 3) BGR, undistorted."""
    smooth = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.7), np.float32)
    on_mat, pattern = mat_in_view(scene, photo.shape[:2], R, t_mm)
    mat = against_mat(scene, smooth, on_mat, pattern)
    still = against_background(scene, photo, smooth, on_mat)
    table = against_table(scene, smooth, R, t_mm)
    # What is darker but shows the mat's pattern lies in the object's shadow.
    on_mat_differs = (mat.difference > 1) | ((mat.difference < -1) & ~mat.seen)
    beside = np.minimum(still.difference, table.difference)
    differs = np.where(on_mat, on_mat_differs, (beside > 1) & np.isfinite(beside))
    plain_seen = _plain_mat_seen(smooth, pattern, mat.difference, on_mat, differs, scene.square_px)
    seen = np.where(on_mat, mat.seen | plain_seen, still.seen | table.seen)
    mask = shaped(differs, on_mat & _faint(mat.difference), seen, scene.square_px)
    unsure = ~on_mat & ~seen & (np.zeros_like(on_mat) if scene.background is None else ~scene.background.sure)
    return _flooded(photo, mask, unsure, scene.square_px), _behind(mat, still, table)


def _behind(mat: Evidence, still: Evidence, table: Evidence) -> Behind:
    """The most likely look without the object: the mat where it lies, elsewhere what explains the photo better."""
    still_better = still.difference <= table.difference
    beside = np.where(still_better[..., None], still.expected, table.expected)
    picture = np.where(mat.known[..., None], mat.expected, beside)
    return Behind(np.clip(picture, 0, 255).astype(np.uint8), mat.known | still.known | table.known)


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
