"""Settings in, viewpoints out. The plan is frozen before the first move: a resumed scan never plans anew."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from offload.wire.base import ScanId, Wire
from offload.wire.bundle import CameraModel, Intrinsics, MatSpec, ReconstructionOptions
from scannerd.config import Config


class Viewpoint(Wire):
    """Where one photo is to be taken from."""

    index: int = Field(ge=0)
    angle_deg: float = Field(allow_inf_nan=False)
    """Of the platter, counter-clockwise seen from above; 0 is where the scan began."""


class ScanPlan(Wire):
    """Everything that a scan needs to be the same scan after any interruption: `plan.json`."""

    format: Literal[1] = 1
    scan_id: ScanId
    created_at: datetime
    device: str
    camera: CameraModel
    photo_width_px: int = Field(ge=16)
    photo_height_px: int = Field(ge=16)
    jpeg_quality: int = Field(ge=1, le=100)
    exposure_us: float = Field(gt=0)
    analogue_gain: float = Field(gt=0)
    settle_s: float = Field(ge=0)
    max_retakes: int = Field(ge=0)
    mat: MatSpec | None = None
    intrinsics: Intrinsics | None = None
    options: ReconstructionOptions = ReconstructionOptions()
    viewpoints: tuple[Viewpoint, ...] = Field(min_length=3)

    @model_validator(mode="after")
    def _numbered_in_order(self) -> Self:
        if [view.index for view in self.viewpoints] != list(range(len(self.viewpoints))):
            raise ValueError("viewpoints must be numbered 0, 1, 2 … in the order in which they are taken")
        return self


def ring(views: int) -> tuple[Viewpoint, ...]:
    """Return `views` viewpoints evenly round one turn, the first at 0°, always turning the same way."""
    return tuple(Viewpoint(index=index, angle_deg=index * 360 / views) for index in range(views))


def plan_scan(
    config: Config,
    camera: CameraModel,
    scan_id: str,
    created_at: datetime,
    views: int | None = None,
    intrinsics: Intrinsics | None = None,
) -> ScanPlan:
    """Freeze the settings into a plan; `views` overrides the configured number."""
    return ScanPlan(
        scan_id=scan_id,
        created_at=created_at,
        device=config.device.name,
        camera=camera,
        photo_width_px=config.camera.width_px,
        photo_height_px=config.camera.height_px,
        jpeg_quality=config.camera.jpeg_quality,
        exposure_us=config.camera.exposure_us,
        analogue_gain=config.camera.analogue_gain,
        settle_s=config.scan.settle_s,
        max_retakes=config.scan.max_retakes,
        mat=config.mat.spec(),
        intrinsics=intrinsics,
        options=config.reconstruction.options(),
        viewpoints=ring(views or config.scan.views),
    )
