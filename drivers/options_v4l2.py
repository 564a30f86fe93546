"""What the driver of USB cameras can be told."""

from dataclasses import dataclass

USUAL_FOCAL_LENGTH_MM = 3.67
"""Of webcams, where nobody knows better: only its ratio to the sensor's width is believed."""


@dataclass(frozen=True)
class V4l2Options:
    """A camera that the kernel shows as a video device: any USB camera of the class UVC."""

    device: str | None = None
    """Best as `/dev/v4l/by-id/…`, which stays the same whatever else is plugged in; None: the first that there is."""
    width_px: int = 1600
    height_px: int = 1200
    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    """USB cameras count their gain in steps of their own; the lowest is taken for 1, the highest for 16."""
    colour_gains: tuple[float, float] = (2.1, 1.9)
    """Red and blue; the camera is told the colour temperature that belongs to their ratio."""
    focus_dioptres: float | None = None
    """None leaves the lens as it is. The far end of its motor is taken for 0, the near end for 10."""
    focal_length_mm: float | None = None
    sensor_width_mm: float | None = None
    """No USB camera says either. Where one is missing, the lens is taken for a usual webcam's, 65° wide."""
    buffer_count: int = 4
