"""Where the cameras of a scan stood: `poses.json` in the bundle, found from the mat's corners in all photos at once.

A point X of the mat (millimetres; frames of reference in `bundle`) is at `R X + t_mm` in the camera of a frame, and
is seen where `intrinsics` put that.
"""

from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field

from offload.wire.base import Wire, is_nothing
from offload.wire.bundle import Intrinsics

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]


class PoseSource(StrEnum):
    """What a frame's pose rests on."""

    TURNTABLE = "turntable"
    """Its own corners, and one turntable for all photos of its turn."""
    ALONE = "alone"
    """Only its own corners: they fit no turntable that the other photos agree on."""
    COMMANDED = "commanded"
    """The turntable of the other photos at its commanded angle: it shows too little of the mat itself."""


class FramePose(Wire):
    """Camera from mat for one photo."""

    model_config = ConfigDict(allow_inf_nan=False)

    index: int = Field(ge=0)
    file: str
    """As the manifest names the photo."""
    R: Matrix
    t_mm: Row
    angle_deg: float
    """Of the platter, as the corners tell it, in the direction and from the zero of the commanded angles."""
    corners: int = Field(ge=0)
    rms_px: float | None = None
    """Of its corners; None where none was used."""
    source: PoseSource
    camera: int = Field(default=0, ge=0, exclude_if=is_nothing)


class Turn(Wire):
    """One turn of the platter with a camera in one place and the object lying on one side."""

    model_config = ConfigDict(allow_inf_nan=False)

    ring: int = Field(ge=0)
    side: int = Field(ge=0)
    axis_foot_mm: tuple[float, float]
    """Where the platter's axis meets the mat's plane."""
    axis: Row
    """Unit vector of the platter's axis in the mat's frame, upwards."""
    camera_elevation_deg: float
    """Of the line of sight: how far the camera looks down on the platter."""
    camera_distance_mm: float
    """From the axis' foot."""
    clockwise: bool = False
    """The platter turned against the commanded direction."""
    camera: int = Field(default=0, ge=0, exclude_if=is_nothing)
    """Which of the scan's cameras it was; 0 is the first, and not written."""


class ScanPoses(Wire):
    """All camera poses of one scan."""

    model_config = ConfigDict(allow_inf_nan=False)

    format: Literal["scannerd-scan-poses/1"] = "scannerd-scan-poses/1"
    units: Literal["mm"] = "mm"
    intrinsics: Intrinsics
    """Of every photo that the first camera took."""
    scale_source: Literal["mat, self-calibrated", "mat, stored intrinsics"]
    rms_px: float
    """Reprojection error of the corners that were used; of several cameras the largest."""
    turns: tuple[Turn, ...]
    frames: tuple[FramePose, ...]
    without: dict[int, str] = Field(default_factory=dict)
    """Photos that have no pose, and why."""
    warnings: tuple[str, ...] = ()
    other_intrinsics: tuple[Intrinsics | None, ...] = Field(default=(), exclude_if=is_nothing)
    """Of the photos of each further camera, numbered from 1; None: its photos have no poses."""

    def intrinsics_of(self, camera: int) -> Intrinsics | None:
        """Return the lens of a camera; None where its photos have no poses."""
        return self.intrinsics if camera == 0 else self.other_intrinsics[camera - 1]
