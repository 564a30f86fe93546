"""What a finished job tells of itself: `report.json`, one shape for every engine."""

from pydantic import Field

from offload.wire.base import Wire
from offload.wire.jobs import Stage


class StageTime(Wire):
    """What a stage cost."""

    stage: Stage
    wall_s: float
    cpu_s: float


class ReconstructionReport(Wire):
    """Numbers of a finished reconstruction. Lengths are millimetres unless `units` says otherwise."""

    engine: str
    engine_version: str
    photos_given: int
    photos_used: int
    unused: dict[str, str] = Field(default_factory=dict)
    """Photo name → why it was left out."""
    units: str = "mm"
    """`mm`, or the unit of the poses that were given."""
    scale_source: str
    """`mat, self-calibrated` | `mat, stored intrinsics` | `given poses`."""
    reprojection_rms_px: float | None = None
    focal_length_px: float | None = None
    size: tuple[float, float, float]
    """Extent along x, y, z."""
    vertices: int
    triangles: int
    watertight: bool
    not_watertight_because: str | None = None
    stages: tuple[StageTime, ...]
    peak_rss_mb: float
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
