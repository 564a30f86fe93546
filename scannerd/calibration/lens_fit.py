"""The lens that explains all views of the board, and how far it can be believed.

Zhang's method as OpenCV has it, from the data sheet's focal length on. Corners that no lens explains (a marker
that was read wrong, a thumb) are left out, and whole views that were taken while the board moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.geometry.lens import Lens
from offload.wire.bundle import Intrinsics
from scannerd.calibration.board_view import LEAST_CORNERS, BoardView

Floats = NDArray[np.float64]
LEAST_VIEWS = 8
ROUNDS = 5
OUTLIER_SIGMAS, OUTLIER_FLOOR_PX = 4.5, 0.15
BAD_VIEW_TIMES = 2.5
"""A view whose error is so much larger than usual was not at rest."""
LARGEST_RMS_SHARE = 0.0006
"""Of the photo's width, 1 px of 1600: more, and the board was bent or the photos blurred."""
LARGEST_DOUBT = 0.004
"""Of the focal length, as one standard deviation: more, and the views were too much alike."""
BENDS_MORE = 0.97
"""k3 is only used where it makes the error so much smaller: elsewhere it bends what no corner shows."""


class LensUnknown(ValueError):
    """The views do not tell what the lens is like. The message says why, and how to hold the board."""


@dataclass(frozen=True)
class LensFit:
    """What was found."""

    intrinsics: Intrinsics
    rms_px: float
    """Of what was used, over both coordinates together."""
    focal_doubt_px: float
    """One standard deviation."""
    views_used: int
    views_left_out: int
    corners_used: int
    corners_left_out: int
    region_rms_px: tuple[tuple[float | None, ...], ...]
    """(3, 3), the upper ones first; None where no corner was used."""


def fit_lens(views: Sequence[BoardView], start: Lens) -> LensFit:
    """Return the lens. `start` is roughly what it is, at the photos' size. Raises LensUnknown."""
    if len(views) < LEAST_VIEWS:
        raise LensUnknown(
            f"{len(views)} views of the board, {LEAST_VIEWS} are needed; hold it in more places, tilted all ways"
        )
    kept = [np.ones(len(view.numbers), bool) for view in views]
    solution = _solve(views, kept, start)
    for _ in range(ROUNDS):
        better = _without_outliers(views, kept, solution)
        if all(np.array_equal(a, b) for a, b in zip(better, kept, strict=True)):
            break
        if sum(mask.any() for mask in better) < LEAST_VIEWS:
            raise LensUnknown(
                f"only {sum(mask.any() for mask in better)} of {len(views)} views agree with each other; glue the "
                "board to something flat and stiff, and hold it still until it is taken"
            )
        kept = better
        solution = _solve(views, kept, start)
    return _told(views, kept, solution, start)


@dataclass(frozen=True)
class _Solution:
    K: Floats
    distortion: Floats
    errors_px: list[Floats | None]
    """For each view (n, 2), of all its corners; None for a view that was left out."""
    rms_px: float
    focal_doubt_px: float


def _solve(views: Sequence[BoardView], kept: list[NDArray[np.bool_]], start: Lens) -> _Solution:
    plain = _calibrated(views, kept, start, cv2.CALIB_FIX_K3)
    bent = _calibrated(views, kept, start, 0)
    return bent if bent.rms_px < BENDS_MORE * plain.rms_px else plain


def _calibrated(views: Sequence[BoardView], kept: list[NDArray[np.bool_]], start: Lens, flags: int) -> _Solution:
    used = [index for index, mask in enumerate(kept) if mask.any()]
    board = [views[index].board_mm[kept[index]].astype(np.float32) for index in used]
    pixels = [views[index].pixels[kept[index]].astype(np.float32) for index in used]
    size = (start.width_px, start.height_px)
    try:
        _, K, distortion, turns, shifts, doubts, _, _ = cv2.calibrateCameraExtended(
            board, pixels, size, start.K, np.zeros(5), flags=flags | cv2.CALIB_USE_INTRINSIC_GUESS
        )
    except cv2.error as error:
        raise LensUnknown(f"the views contradict each other ({error.err}); hold the board in other ways") from error
    errors: list[Floats | None] = [None] * len(views)
    for place, index in enumerate(used):
        projected, _ = cv2.projectPoints(views[index].board_mm, turns[place], shifts[place], K, distortion)
        errors[index] = views[index].pixels - projected.reshape(-1, 2)
    of_used = np.concatenate([_of(errors[index])[kept[index]] for index in used])
    rms_px = float(np.sqrt((of_used**2).sum(axis=1).mean()))
    return _Solution(
        np.asarray(K, np.float64),
        np.ravel(distortion)[:5].astype(np.float64),
        errors,
        rms_px,
        float(np.ravel(doubts)[0]),
    )


def _of(errors: Floats | None) -> Floats:
    assert errors is not None
    return errors


def _without_outliers(
    views: Sequence[BoardView], kept: list[NDArray[np.bool_]], solution: _Solution
) -> list[NDArray[np.bool_]]:
    lengths = [None if errors is None else np.linalg.norm(errors, axis=1) for errors in solution.errors_px]
    usual_px = float(np.median(np.concatenate([each for each in lengths if each is not None])))
    limit_px = max(OUTLIER_SIGMAS * usual_px / 1.18, OUTLIER_FLOOR_PX)  # 1.18 σ: the median of a Rayleigh's lengths
    result = []
    for mask, each in zip(kept, lengths, strict=True):
        good = np.zeros_like(mask) if each is None else each <= limit_px
        moved = each is not None and float(np.median(each)) > max(BAD_VIEW_TIMES * usual_px, OUTLIER_FLOOR_PX)
        result.append(np.zeros_like(mask) if moved or good.sum() < LEAST_CORNERS else good)
    return result


def _told(views: Sequence[BoardView], kept: list[NDArray[np.bool_]], solution: _Solution, start: Lens) -> LensFit:
    allowed_px = LARGEST_RMS_SHARE * start.width_px
    if solution.rms_px > allowed_px:
        raise LensUnknown(
            f"corners lie {solution.rms_px:.2f} px from where any lens would show them, {allowed_px:.2f} px at most "
            "are good; glue the board to something flat and stiff, light it well, hold it still"
        )
    K = solution.K
    if solution.focal_doubt_px > LARGEST_DOUBT * K[0, 0]:
        raise LensUnknown(
            f"the focal length could be {K[0, 0]:.0f} ± {solution.focal_doubt_px:.0f} px: the views are too much "
            "alike; tilt the board more, to all four sides, and fill the photo with it"
        )
    k1, k2, p1, p2, k3 = (float(value) for value in solution.distortion)
    intrinsics = Intrinsics(
        width_px=start.width_px,
        height_px=start.height_px,
        fx_px=float(K[0, 0]),
        fy_px=float(K[1, 1]),
        cx_px=float(K[0, 2]),
        cy_px=float(K[1, 2]),
        distortion=(k1, k2, p1, p2, k3),
    )
    used = sum(int(mask.sum()) for mask in kept)
    return LensFit(
        intrinsics=intrinsics,
        rms_px=solution.rms_px,
        focal_doubt_px=solution.focal_doubt_px,
        views_used=sum(bool(mask.any()) for mask in kept),
        views_left_out=sum(not mask.any() for mask in kept),
        corners_used=used,
        corners_left_out=sum(len(mask) for mask in kept) - used,
        region_rms_px=_by_region(views, kept, solution, start),
    )


def _by_region(
    views: Sequence[BoardView], kept: list[NDArray[np.bool_]], solution: _Solution, start: Lens
) -> tuple[tuple[float | None, ...], ...]:
    used = [index for index, mask in enumerate(kept) if mask.any()]
    pixels = np.concatenate([views[index].pixels[kept[index]] for index in used])
    squares = np.concatenate([(_of(solution.errors_px[index])[kept[index]] ** 2).sum(axis=1) for index in used])
    column = np.clip(pixels[:, 0] * 3 // start.width_px, 0, 2)
    row = np.clip(pixels[:, 1] * 3 // start.height_px, 0, 2)
    cells = [[squares[(row == r) & (column == c)] for c in range(3)] for r in range(3)]
    return tuple(tuple(float(np.sqrt(cell.mean())) if cell.size else None for cell in line) for line in cells)
