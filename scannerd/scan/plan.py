"""Settings in, viewpoints out. The plan is frozen before the first move: a resumed scan never plans anew."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from offload.wire.base import ScanId, Wire, is_nothing
from offload.wire.bundle import FIRST_CAMERA, CameraModel, Intrinsics, MatSpec, Place, ReconstructionOptions
from scannerd.commands import Quality, RawPhotos, Wishes
from scannerd.config import Config
from scannerd.config_camera import OtherCameraSection
from scannerd.config_light import COLOUR
from scannerd.scan.pattern import Pattern, Ring, pattern_of


class Viewpoint(Place):
    """Where one photo is to be taken from, and how."""

    angle_deg: float = Field(allow_inf_nan=False)
    """Of the platter, counter-clockwise seen from above; 0 is where the scan began. It goes on beyond 360."""


class PlannedCamera(Wire):
    """One of the cameras besides the first, and how it takes its photos; as the plan has the first one's."""

    name: str
    camera: CameraModel
    photo_width_px: int = Field(ge=16)
    photo_height_px: int = Field(ge=16)
    jpeg_quality: int = Field(ge=1, le=100)
    exposure_us: float = Field(gt=0)
    analogue_gain: float = Field(gt=0)
    metered: bool = False
    elevation_deg: float | None = None
    intrinsics: Intrinsics | None = None


_OF_THE_CAMERA = tuple(name for name in PlannedCamera.model_fields if name not in ("name", "elevation_deg"))
"""What a plan says of its first camera, under the same names."""


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
    metered: bool = False
    """Exposure, white balance and focus are found on the object at the beginning; else they are as given above."""
    raw: RawPhotos = RawPhotos.NEVER
    """Whether each photo has a raw file, and where that goes."""
    raw_bytes: int = Field(default=0, ge=0)
    """What one takes at most."""
    light_level: float | None = Field(default=None, ge=0, le=1)
    """Of the light on the object, for every photo; None: there is none, or it is left as it is."""
    light_colour: str | None = Field(default=None, pattern=COLOUR)
    """Of a light that has colours."""
    settle_s: float = Field(ge=0)
    """Fixed wait after a move, and where pictures cannot tell whether the object stands still."""
    adaptive_settle: bool = True
    settle_cap_s: float = Field(default=2.0, gt=0)
    max_retakes: int = Field(ge=0)
    mat: MatSpec | None = None
    intrinsics: Intrinsics | None = None
    options: ReconstructionOptions = ReconstructionOptions()
    cameras: tuple[PlannedCamera, ...] = Field(default=(), exclude_if=is_nothing)
    """Those besides the first, numbered from 1."""
    viewpoints: tuple[Viewpoint, ...] = Field(min_length=3)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """By number."""
        return (FIRST_CAMERA, *(other.name for other in self.cameras))

    def of_camera(self, number: int) -> "ScanPlan":
        """Return the plan as one camera has it: everything that it says of the first one holds for that one."""
        if number == 0:
            return self
        other = self.cameras[number - 1]
        return self.model_copy(update={name: getattr(other, name) for name in _OF_THE_CAMERA})

    def named(self, number: int) -> str:
        """Return a camera's name as messages have it: nothing where there is only one."""
        return f" (camera {self.camera_names[number]})" if self.cameras else ""

    @property
    def rings(self) -> int:
        """At how many heights the camera stands."""
        return max(view.ring for view in self.viewpoints) + 1

    @property
    def sides(self) -> int:
        """How often the object is laid down."""
        return max(view.side for view in self.viewpoints) + 1

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of a photo."""
        return self.photo_width_px, self.photo_height_px

    @property
    def focal_px(self) -> float:
        """The lens's focal length as its data sheet has it."""
        return self.camera.focal_length_mm * 1000 / self.camera.pixel_pitch_um

    @model_validator(mode="after")
    def _numbered_in_order(self) -> Self:
        if [view.index for view in self.viewpoints] != list(range(len(self.viewpoints))):
            raise ValueError("viewpoints must be numbered 0, 1, 2 … in the order in which they are taken")
        return self


def viewpoints_of(pattern: Pattern) -> tuple[Viewpoint, ...]:
    """Return a pattern's photos, numbered in the order in which they are taken."""
    return tuple(Viewpoint(index=index, **stop._asdict()) for index, stop in enumerate(pattern.stops()))


def viewpoints_on(views: int, rings: int = 1) -> tuple[Viewpoint, ...]:
    """Return `views` photos evenly round each turn, the first at 0°, every other ring half a step further."""
    return viewpoints_of(Pattern(tuple(Ring(views) for _ in range(rings))))


_FINENESS = {Quality.DRAFT: 2.0, Quality.STANDARD: 1.0, Quality.FINE: 0.5}
"""A draft's detail is twice as coarse as configured, a fine model's half."""


def options_for(options: ReconstructionOptions, quality: Quality | None) -> ReconstructionOptions:
    """Return the options as configured, made coarser or finer within their bounds."""
    factor = _FINENESS[quality or Quality.STANDARD]
    return ReconstructionOptions(
        engine=options.engine,
        voxel_mm=min(20.0, max(0.06, options.voxel_mm * factor)),
        texture_px=int(min(8192, max(256, options.texture_px / factor))),
        triangles=int(min(2_000_000, max(500, options.triangles / factor**2))),
    )


def raw_of(config: Config, wishes: Wishes) -> RawPhotos:
    """Return what becomes of raw pixels: as a person wishes, else as configured."""
    return RawPhotos(config.camera.raw) if wishes.raw is None else wishes.raw


def plan_scan(
    config: Config,
    camera: CameraModel,
    scan_id: str,
    created_at: datetime,
    wishes: Wishes | None = None,
    intrinsics: Intrinsics | None = None,
    light_level: float | None = None,
    light_colour: str | None = None,
    raw_bytes: int = 0,
    others: tuple[PlannedCamera, ...] = (),
) -> ScanPlan:
    """Freeze the settings and one person's wishes into a plan; `camera` is the first.

    `raw_bytes` is what a raw file takes at most. Raises ImpossiblePattern.
    """
    wishes = wishes or Wishes()
    raw = raw_of(config, wishes)
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
        metered=config.camera.metering == "once",
        raw=raw,
        raw_bytes=0 if raw is RawPhotos.NEVER else raw_bytes,
        light_level=light_level,
        light_colour=light_colour,
        settle_s=config.scan.settle_s,
        adaptive_settle=config.scan.adaptive_settle,
        settle_cap_s=max(config.scan.settle_cap_s, config.scan.settle_s),
        max_retakes=config.scan.max_retakes,
        mat=config.mat.spec(),
        intrinsics=intrinsics,
        options=options_for(config.reconstruction.options(), wishes.quality),
        cameras=others,
        viewpoints=viewpoints_of(
            pattern_of(config.scan, wishes, config.lift, [other.elevation_deg for other in others])
        ),
    )


def planned_camera(section: OtherCameraSection, camera: CameraModel, intrinsics: Intrinsics | None) -> PlannedCamera:
    """Freeze the settings of a camera besides the first."""
    return PlannedCamera(
        name=section.name,
        camera=camera,
        photo_width_px=section.width_px,
        photo_height_px=section.height_px,
        jpeg_quality=section.jpeg_quality,
        exposure_us=section.exposure_us,
        analogue_gain=section.analogue_gain,
        metered=section.metering == "once",
        elevation_deg=section.elevation_deg,
        intrinsics=intrinsics,
    )
