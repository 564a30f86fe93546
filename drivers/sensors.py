"""Camera modules on the ribbon cable, by the name that libcamera gives their sensor.

Pixels and their pitch stand in the sensors' data sheets, focal lengths on the modules' product pages: Raspberry Pi's
camera documentation ("Hardware specification") and Arducam's pages of the 16 MP (IMX519) and 64 MP (Hawkeye) modules.
"""

from dataclasses import dataclass

RASPBERRY_PI, ARDUCAM = "Raspberry Pi", "Arducam"


@dataclass(frozen=True)
class SensorFacts:
    """One module: what its photos' EXIF says of it, and how large they can be."""

    make: str
    model: str
    """As it is written into EXIF."""
    full_size_px: tuple[int, int]
    """Width and height of the active pixels."""
    pixel_pitch_um: float
    focal_length_mm: float | None
    """None where the lens is the buyer's choice."""

    @property
    def sensor_width_mm(self) -> float:
        """Of the active pixels."""
        return self.full_size_px[0] * self.pixel_pitch_um / 1000


SENSORS = {
    "ov5647": SensorFacts(RASPBERRY_PI, "Camera Module v1 (ov5647)", (2592, 1944), 1.40, 3.60),
    "imx219": SensorFacts(RASPBERRY_PI, "Camera Module v2 (imx219)", (3280, 2464), 1.12, 3.04),
    "imx708": SensorFacts(RASPBERRY_PI, "Camera Module 3 (imx708)", (4608, 2592), 1.40, 4.74),
    "imx708_wide": SensorFacts(RASPBERRY_PI, "Camera Module 3 Wide (imx708)", (4608, 2592), 1.40, 2.75),
    "imx477": SensorFacts(RASPBERRY_PI, "HQ Camera (imx477)", (4056, 3040), 1.55, None),
    "imx296": SensorFacts(RASPBERRY_PI, "Global Shutter Camera (imx296)", (1456, 1088), 3.45, None),
    "imx500": SensorFacts(RASPBERRY_PI, "AI Camera (imx500)", (4056, 3040), 1.55, 4.74),
    "imx519": SensorFacts(ARDUCAM, "16MP Camera (imx519)", (4656, 3496), 1.22, 4.28),
    "arducam_64mp": SensorFacts(ARDUCAM, "64MP Hawkeye (arducam_64mp)", (9152, 6944), 0.80, 5.10),
}
"""libcamera appends `_noir` for modules without an infrared filter; everything else is the same."""


def sensor_facts(libcamera_model: str) -> SensorFacts | None:
    """Return what is known of a sensor, or None for one that is not in the table."""
    return SENSORS.get(libcamera_model.removesuffix("_noir"))
