"""A lens found again from what it would show of a board: the truth is known."""

import cv2
import numpy as np
import pytest
from board_poses import SIZE_PX, TRUE_LENS, held, shown

from offload.geometry.lens import Lens
from offload.geometry.mat_board import MatBoard
from offload.wire.bundle import CameraModel, MatSpec
from scannerd.calibration.board_view import BoardView
from scannerd.calibration.guide import CoverageGuide
from scannerd.calibration.lens_fit import LensUnknown, fit_lens

BOARD = MatBoard(MatSpec(columns=15, rows=15, square_mm=18.0, marker_mm=13.5))
NOMINAL = Lens.nominal(
    CameraModel(make="-", model="-", focal_length_mm=8.5, pixel_pitch_um=6.287 / SIZE_PX[0] * 1000), *SIZE_PX
)


def views(count: int = 16, noise_px: float = 0.1, seed: int = 1) -> list[BoardView]:
    random = np.random.default_rng(seed)
    found = [shown(BOARD, NOMINAL, *pose, random, noise_px) for pose in held()]
    return [view for view in found if view is not None][:count]


def test_the_truth_is_recovered() -> None:
    found = fit_lens(views(), NOMINAL)
    lens = found.intrinsics
    assert lens.fx_px == pytest.approx(TRUE_LENS.focal_px, rel=1e-3)
    assert (lens.cx_px, lens.cy_px) == pytest.approx(TRUE_LENS.centre_px, abs=2.0)
    grid = np.stack(np.meshgrid(np.linspace(-0.3, 0.3, 9), np.linspace(-0.22, 0.22, 7)), -1).reshape(-1, 2)
    points = np.column_stack([grid, np.ones(len(grid))])
    K = np.array([[lens.fx_px, 0, lens.cx_px], [0, lens.fy_px, lens.cy_px], [0, 0, 1]])
    there, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), K, np.array(lens.distortion))
    shifts = there.reshape(-1, 2) - TRUE_LENS.project(points)
    assert np.linalg.norm(shifts - shifts.mean(axis=0), axis=1).max() < 1.0, (
        "all over the photo, not in the middle only"
    )
    assert found.rms_px == pytest.approx(0.1 * np.sqrt(2), rel=0.1)
    assert found.corners_left_out < 0.01 * found.corners_used
    assert all(cell is not None and cell < 0.25 for line in found.region_rms_px for cell in line)


def test_wrong_corners_and_a_view_that_moved_are_left_out() -> None:
    random = np.random.default_rng(3)
    seen = views()
    for view in seen[:6]:
        view.pixels[random.choice(len(view.pixels), 3, replace=False)] += random.uniform(4, 12, (3, 2))
    seen[7].pixels[:] += random.normal(0, 2.5, seen[7].pixels.shape)
    found = fit_lens(seen, NOMINAL)
    assert found.views_left_out == 1
    assert found.corners_left_out >= 18 + len(seen[7].numbers)
    assert found.intrinsics.fx_px == pytest.approx(TRUE_LENS.focal_px, rel=1e-3)


def test_views_that_are_too_much_alike_are_refused() -> None:
    random = np.random.default_rng(2)
    facing = [
        shown(BOARD, NOMINAL, (0.01 * i, 0.0, 0.02 * i), (3.0 * i, -2.0 * i, 620.0), random, 0.2) for i in range(10)
    ]
    with pytest.raises(LensUnknown, match="too much alike; tilt the board more"):
        fit_lens([view for view in facing if view is not None], NOMINAL)


def test_too_few_views_are_refused() -> None:
    with pytest.raises(LensUnknown, match="5 views of the board, 8 are needed"):
        fit_lens(views(5), NOMINAL)


def test_a_bent_board_is_refused() -> None:
    seen = views(noise_px=1.5)
    with pytest.raises(LensUnknown, match="glue the board"):
        fit_lens(seen, NOMINAL)


def test_the_guide_asks_until_everything_was_shown() -> None:
    guide = CoverageGuide(*SIZE_PX)
    assert len(guide.missing()) == 9 + 4
    for view in views():
        assert guide.is_new(view)
        guide.add(view)
        assert not guide.is_new(view), "the same again says nothing"
    assert guide.missing() == ()


def test_the_guide_names_what_is_missing() -> None:
    guide = CoverageGuide(*SIZE_PX)
    left_only = [view for view in views() if view.pixels[:, 0].mean() < SIZE_PX[0] * 0.45 and view.tilt_deg[0] > -15]
    for view in left_only:
        guide.add(view)
    assert "with its right edge nearer, by 15° or more" in guide.missing()
