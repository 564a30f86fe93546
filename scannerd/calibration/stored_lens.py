"""A calibrated lens on the disk: the file that `[intrinsics] file` names, and beside it how it was found."""

import re
from datetime import datetime
from pathlib import Path

from offload.wire.base import Wire
from offload.wire.bundle import CameraModel, Intrinsics, MatSpec
from scannerd.calibration.lens_fit import LensFit
from scannerd.store.durable import explained, write_durably


class LensReport(Wire):
    """How a lens was found: `NAME.report.json`."""

    camera: CameraModel
    focus_dioptres: float | None
    """Where a motor held the lens; None: it has none, and nobody knows how it was turned."""
    board: MatSpec
    calibrated_at: datetime
    intrinsics: Intrinsics
    reprojection_rms_px: float
    focal_doubt_px: float
    """One standard deviation."""
    views_used: int
    views_left_out: int
    corners_used: int
    corners_left_out: int
    region_rms_px: tuple[tuple[float | None, ...], ...]
    """Nine regions of the photo, the upper ones first."""


def report_of(
    fit: LensFit, camera: CameraModel, focus_dioptres: float | None, board: MatSpec, at: datetime
) -> LensReport:
    """Return everything that is worth knowing later."""
    return LensReport(
        camera=camera,
        focus_dioptres=focus_dioptres,
        board=board,
        calibrated_at=at,
        intrinsics=fit.intrinsics,
        reprojection_rms_px=fit.rms_px,
        focal_doubt_px=fit.focal_doubt_px,
        views_used=fit.views_used,
        views_left_out=fit.views_left_out,
        corners_used=fit.corners_used,
        corners_left_out=fit.corners_left_out,
        region_rms_px=fit.region_rms_px,
    )


def lens_name(report: LensReport) -> str:
    """Return a file's name: camera, lens, size of the photos, and where the lens is focused."""
    lens = report.intrinsics
    focus = "" if report.focus_dioptres is None else f"_focus-{report.focus_dioptres:.2f}"
    model = re.sub(r"[^a-z0-9]+", "-", report.camera.model.lower()).strip("-")
    return f"{model}_{report.camera.focal_length_mm:g}mm_{lens.width_px}x{lens.height_px}{focus}"


def keep(report: LensReport, folder: Path) -> Path:
    """Write both files, replacing the same lens's; return the one for `[intrinsics] file`. Raises StoreFault."""
    with explained(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{lens_name(report)}.json"
    write_durably(file.with_suffix(".report.json"), report.model_dump_json(indent=2).encode())
    write_durably(file, report.intrinsics.model_dump_json(indent=2).encode())
    return file
