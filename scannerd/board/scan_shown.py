"""Scans as people are shown them."""

from datetime import datetime
from typing import Literal

from scannerd.board.state import Shown, UploadProgress


class ViewpointShown(Shown):
    """One viewpoint of a scan."""

    index: int
    ring: int
    side: int = 0
    """How the object lies: 0 as it was put down, 1 after it was turned over, and so on."""
    camera: int = 0
    """Which of the scanner's cameras takes it; 0 is the first."""
    elevation_deg: float | None = None
    """Of the camera above the platter, where it is known."""
    repeat: int = 0
    exposure_ev: float = 0.0
    focus_offset_dioptres: float = 0.0
    angle_deg: float
    status: Literal["planned", "stored"]
    verdict: Literal["accept", "retake", "ask"] | None = None
    """Of the gate, on the photo that was kept; None before there is one."""
    attempts: int = 0
    reason: str | None = None
    """Why it was taken again, the latest reason."""
    sharpness: float | None = None
    size_bytes: int | None = None
    retake_wanted: bool = False


class ScanOverview(Shown):
    """One scan in a list."""

    scan_id: str
    state: Literal["running", "unfinished", "cancelled", "sealed", "broken"]
    created_at: datetime | None = None
    frames_done: int = 0
    frames_planned: int = 0
    upload: UploadProgress | None = None
    has_model: bool = False
    size_bytes: int = 0
    """Of all photos."""
    fault: str | None = None


class ScanDetail(ScanOverview):
    """One scan with its viewpoints."""

    rings: int = 1
    sides: int = 1
    photo_width_px: int = 0
    photo_height_px: int = 0
    has_mat: bool = False
    """Without a mat the model has no scale."""
    retakes: int = 0
    raw_files: int = 0
    """Photos whose raw file is on the disk."""
    cameras: tuple[str, ...] = ()
    """Those that take part, by number; a scanner with one calls it "first"."""
    viewpoints: tuple[ViewpointShown, ...] = ()


class Forecast(Shown):
    """What a scan would take. 1 MB = 10⁶ bytes."""

    photos: int
    minutes: float
    megabytes: float
    free_megabytes: float
    """Beside the reserve."""
    fits: bool
    reason: str | None = None
    """Why it would be refused."""
