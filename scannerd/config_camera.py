"""The sections of config.toml that describe cameras."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field

from drivers.options import Picamera2Options
from drivers.options_gphoto2 import Gphoto2Options
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import CameraSettings
from offload.wire.bundle import Intrinsics
from scannerd.config_section import OptionalFile, OptionalText, Section, fixed, key

AnyCameraOptions = Picamera2Options | V4l2Options | Gphoto2Options
Options = TypeVar("Options", Picamera2Options, V4l2Options, Gphoto2Options)

MOST_CAMERAS = 6
"""Of one scanner."""


class AnyCameraSection(Section):
    """What is said of every camera."""

    driver: Literal["picamera2", "v4l2", "gphoto2"] = key(
        "picamera2", "v4l2 for a USB camera, gphoto2 for a DSLR or system camera"
    )
    device: OptionalText = key(
        None, "which one on USB: best /dev/v4l/by-id/…, or a DSLR's model; empty: the first", max_length=200
    )
    width_px: int = key(1600, "of the photo", ge=160, le=9248, multiple_of=2)
    height_px: int = key(1200, "of the photo", ge=120, le=6944, multiple_of=2)
    metering: Literal["once", "configured"] = key(
        "once", "exposure, white balance and focus: found on the object as a scan begins, or as given below"
    )
    exposure_us: int = key(20_000, "exposure time", ge=30, le=10_000_000)
    analogue_gain: float = key(1.0, "1 has the least noise", ge=1, le=64)
    colour_gain_red: float = key(2.1, "white balance", ge=0.1, le=32)
    colour_gain_blue: float = key(1.9, "white balance", ge=0.1, le=32)
    lens_focal_length_mm: float = key(
        9.0, "as printed on the lens; 0 for modules with a lens of their own", ge=0, le=500
    )
    sensor_width_mm: float = key(
        0.0, "of a USB camera, from its data sheet; 0: taken for 65° wide, or as a DSLR's EXIF says", ge=0, le=100
    )
    aperture: OptionalText = key(None, "of a DSLR, as it writes it: 8 or f/8; empty: as it is", max_length=20)
    jpeg_quality: int = key(95, "of the stored photos", ge=50, le=100)

    def settings(self, focus_dioptres: float | None) -> CameraSettings:
        """Return what the camera is locked to without metering; the focus is the camera's own."""
        gains = (self.colour_gain_red, self.colour_gain_blue)
        return CameraSettings(self.exposure_us, self.analogue_gain, gains, focus_dioptres)

    def camera_options(self) -> AnyCameraOptions:
        """Return them as the driver takes them."""
        if self.driver == "picamera2":
            return self._options(Picamera2Options, self.lens_focal_length_mm or None)
        # The default is the lens of an HQ camera: without the sensor's width it says nothing of another camera's.
        own_lens_mm = self.lens_focal_length_mm or None if self.sensor_width_mm else None
        sensor_width_mm = self.sensor_width_mm or None
        if self.driver == "v4l2":
            usb = self._options(V4l2Options, own_lens_mm)
            return replace(usb, device=self.device, sensor_width_mm=sensor_width_mm)
        dslr = self._options(Gphoto2Options, own_lens_mm)
        return replace(dslr, device=self.device, sensor_width_mm=sensor_width_mm, aperture=self.aperture)

    def _options(self, kind: type[Options], focal_length_mm: float | None) -> Options:
        """Return what every driver takes, and of the lens what this one believes."""
        return kind(
            width_px=self.width_px,
            height_px=self.height_px,
            exposure_us=self.exposure_us,
            analogue_gain=self.analogue_gain,
            colour_gains=(self.colour_gain_red, self.colour_gain_blue),
            focal_length_mm=focal_length_mm,
        )


class CameraSection(AnyCameraSection):
    """The camera and its lens; exposure, gain and colours stay locked for the whole scan."""

    raw: Literal["never", "device", "bundle"] = key(
        "never", "a raw file (DNG) of every photo, too: kept on this device, or part of the bundle"
    )


class OtherCameraSection(AnyCameraSection):
    """Another camera that looks at the same table: keys as in [camera], and these."""

    name: str = Field(
        description="of the camera, in photos and messages; each has its own",
        min_length=1,
        max_length=40,
        pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]*$",
    )
    camera_index: int = key(
        1, "of a ribbon camera, as `rpicam-hello --list-cameras` numbers them; [camera] is 0", ge=0, le=7
    )
    elevation_deg: float | None = key(
        None, "where it stands above the platter, if somebody measured it", ge=-90, le=90
    )
    intrinsics_file: OptionalFile = key(None, "JSON of its calibrated lens; empty: found anew in each scan")

    def camera_options(self) -> AnyCameraOptions:
        """Return them as the driver takes them."""
        options = super().camera_options()
        return replace(options, camera_index=self.camera_index) if isinstance(options, Picamera2Options) else options


def read_lens(file: Path | None) -> Intrinsics | None:
    """Return a calibrated lens; None where there is no file. Raises OSError, ValidationError."""
    return Intrinsics.model_validate_json(file.read_bytes()) if file is not None else None


OtherCameras = Annotated[tuple[OtherCameraSection, ...], BeforeValidator(fixed)]
