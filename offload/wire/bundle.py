"""A bundle: one sealed scan as it travels. The manifest names every file by its hash.

Frames of reference. *Mat*: origin in the centre of the mat, x right, y away from its lower edge, z up,
millimetres. *Camera*: OpenCV's, x right, y down, z forward. Pixel (0, 0) is the centre of the top left pixel.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from offload.wire.base import FileName, ScanId, Sha256, Wire, is_nothing

FIRST_CAMERA = "first"
"""The name that no configuration gives it."""


class StoredFile(Wire):
    """One file of a bundle or of a result."""

    name: FileName
    sha256: Sha256
    size_bytes: int = Field(ge=1)


class MatSpec(Wire):
    """The ChArUco mat that lies on the turntable, as `scannerd mat` printed it.

    The board is OpenCV's `CharucoBoard((columns, rows), square_mm, marker_mm, dictionary)`; its image is drawn
    with the mat's +y up, so board coordinates (x, y down) become mat coordinates (x - width/2, height/2 - y).
    """

    columns: int = Field(ge=3, le=60)
    rows: int = Field(ge=3, le=60)
    square_mm: float = Field(gt=1, le=100)
    marker_mm: float = Field(gt=0.5, le=100)
    dictionary: Literal["DICT_4X4_250", "DICT_4X4_1000", "DICT_5X5_250", "DICT_5X5_1000"] = "DICT_4X4_250"

    @property
    def width_mm(self) -> float:
        """Width of the chequered area along x."""
        return self.columns * self.square_mm

    @property
    def height_mm(self) -> float:
        """Height of the chequered area along y."""
        return self.rows * self.square_mm


class Intrinsics(Wire):
    """A calibrated pinhole camera with OpenCV's five distortion coefficients, for one image size."""

    width_px: int = Field(ge=16)
    height_px: int = Field(ge=16)
    fx_px: float = Field(gt=0)
    fy_px: float = Field(gt=0)
    cx_px: float
    cy_px: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3."""


class CameraModel(Wire):
    """What took the photos: enough for EXIF and for a first guess of the focal length."""

    make: str
    model: str
    focal_length_mm: float = Field(gt=0)
    pixel_pitch_um: float = Field(gt=0)
    """Of one pixel of the *stored* photo: sensor width / photo width."""


class Place(Wire):
    """Where, and how, one photo of a scan is taken."""

    index: int = Field(ge=0)
    """Number of the viewpoint in the frozen plan; every photo has one of its own."""
    ring: int = Field(default=0, ge=0)
    """Which turn: before each the camera is moved to another height."""
    side: int = Field(default=0, ge=0)
    """How the object lies: 0 as it was put down, 1 after it was turned over, and so on."""
    elevation_deg: float | None = Field(default=None, ge=-90, le=90)
    """Of the camera above the platter, where an axis sets it or somebody said so."""
    repeat: int = Field(default=0, ge=0)
    """0 for the first of several equal photos."""
    exposure_ev: float = Field(default=0.0, ge=-6, le=6)
    """Stops above the scan's locked exposure, for an exposure bracket."""
    focus_offset_dioptres: float = Field(default=0.0, ge=-10, le=10)
    """Nearer than the scan's locked focus, for a focus bracket."""
    camera: int = Field(default=0, ge=0, exclude_if=is_nothing)
    """Which of the scan's cameras takes it; 0 is the first, and not written."""

    @property
    def is_plain(self) -> bool:
        """Whether it is the first photo from its place, as locked: what a reconstruction needs one of."""
        return self.repeat == 0 and self.exposure_ev == 0 and self.focus_offset_dioptres == 0


class CameraOfScan(Wire):
    """One camera of a scan that was taken with several."""

    name: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,39}$")
    camera: CameraModel
    photo_width_px: int = Field(ge=16)
    photo_height_px: int = Field(ge=16)
    intrinsics: Intrinsics | None = None
    background: StoredFile | None = None
    """Its photo of the empty turntable, if one was ever taken."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of its photos."""
        return self.photo_width_px, self.photo_height_px


class FrameEntry(Place):
    """One photo that counts: it was on disk before this was written."""

    angle_deg: float
    """Commanded platter angle, counter-clockwise seen from above, 0 is home."""
    file: StoredFile
    exposure_us: float = Field(gt=0)
    analogue_gain: float = Field(gt=0)
    sharpness: float | None = None
    attempt: int = Field(default=1, ge=1)
    taken_at: datetime
    seen_angle_deg: float | None = None
    """Platter angle as read off the mat, where it could be read."""
    sidecars: tuple[StoredFile, ...] = ()
    """What the device found out about this photo: mask, edge map, and `FrameSidecar` as JSON."""
    raw: StoredFile | None = Field(default=None, exclude_if=is_nothing)
    """The same exposure as the sensor saw it: a DNG, or the camera's own raw file."""
    raw_travels: bool = Field(default=False, exclude_if=is_nothing)
    """Whether that is part of the bundle; else it is on the device only, and its hash here says which one it is."""

    def files(self) -> tuple[StoredFile, ...]:
        """What of it is part of the bundle: the photo, its sidecars, and the raw file if that travels."""
        return (self.file, *self.sidecars, *((self.raw,) if self.raw and self.raw_travels else ()))

    def kept_files(self) -> tuple[StoredFile, ...]:
        """What of it is on the device."""
        return (self.file, *self.sidecars, *((self.raw,) if self.raw else ()))


class ReconstructionOptions(Wire):
    """What the person asked for."""

    engine: Literal["auto", "turntable"] = "auto"
    voxel_mm: float = Field(default=1.0, gt=0.05, le=20)
    texture_px: int = Field(default=2048, ge=256, le=8192)
    triangles: int = Field(default=60_000, ge=500, le=2_000_000)


class Manifest(Wire):
    """Everything about a sealed scan. Its own SHA-256 is the bundle's id."""

    format: Literal[1, 2] = 1
    """2 exactly where there are several cameras: who knows only one would take all photos for its."""
    scan_id: ScanId
    created_at: datetime
    device: str
    camera: CameraModel
    """The first camera; its are also size of photo, intrinsics and background below."""
    photo_width_px: int = Field(ge=16)
    photo_height_px: int = Field(ge=16)
    mat: MatSpec | None = None
    intrinsics: Intrinsics | None = None
    frames: tuple[FrameEntry, ...] = Field(min_length=3)
    background: StoredFile | None = None
    """A photo of the empty turntable from the same place, if one was ever taken."""
    extras: tuple[StoredFile, ...] = ()
    """About the whole scan: camera poses, contact sheet."""
    options: ReconstructionOptions = ReconstructionOptions()

    cameras: tuple[CameraOfScan, ...] = Field(default=(), exclude_if=is_nothing)
    """The other cameras, numbered from 1."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [entry.name for entry in self.files()]
        if len(set(names)) != len(names):
            raise ValueError("two files of the bundle have the same name")
        return self

    @model_validator(mode="after")
    def _cameras_are_known(self) -> Self:
        expected = 2 if self.cameras else 1
        if self.format != expected:
            raise ValueError(f"format is {self.format}; a scan with {1 + len(self.cameras)} cameras has {expected}")
        unknown = sorted({frame.camera for frame in self.frames if frame.camera > len(self.cameras)})
        if unknown:
            raise ValueError(
                f"photos are from cameras {unknown}; the scan has {1 + len(self.cameras)}, the first is 0"
            )
        return self

    def all_cameras(self) -> tuple[CameraOfScan, ...]:
        """Every camera by its number; the first is called `first`."""
        first = CameraOfScan(
            name=FIRST_CAMERA,
            camera=self.camera,
            photo_width_px=self.photo_width_px,
            photo_height_px=self.photo_height_px,
            intrinsics=self.intrinsics,
            background=self.background,
        )
        return (first, *self.cameras)

    def photos(self) -> tuple[StoredFile, ...]:
        """What must be JPEGs of the size of its camera's photos."""
        return (*(frame.file for frame in self.frames), *self._backgrounds())

    def photos_of(self, camera: int) -> tuple[StoredFile, ...]:
        """Those that one camera took."""
        background = self.all_cameras()[camera].background
        taken = (frame.file for frame in self.frames if frame.camera == camera)
        return (*taken, *((background,) if background else ()))

    def files(self) -> tuple[StoredFile, ...]:
        """Every file that must be on the service before the job can start."""
        return (*(file for frame in self.frames for file in frame.files()), *self._backgrounds(), *self.extras)

    def _backgrounds(self) -> Iterator[StoredFile]:
        for background in (self.background, *(other.background for other in self.cameras)):
            if background is not None:
                yield background
