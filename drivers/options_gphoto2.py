"""What the driver of DSLRs and system cameras can be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gphoto2Options:
    """A camera that libgphoto2 knows, on USB."""

    device: str | None = None
    """Its model or port as `gphoto2 --auto-detect` prints them, or a part of it; None: the only one that there is."""
    width_px: int = 6000
    height_px: int = 4000
    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    """ISO over 100."""
    colour_gains: tuple[float, float] = (2.1, 1.9)
    """Told as it is asked for: such a camera has presets of white balance, of which one is locked."""
    aperture: str | None = None
    """As the camera writes it, such as f/8 or 8; None leaves it as it is."""
    focal_length_mm: float | None = None
    sensor_width_mm: float | None = None
    """No such camera says either over USB. None: 50 mm before 36 mm."""
