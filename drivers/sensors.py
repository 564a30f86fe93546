"""The official camera modules, by the name that libcamera gives their sensor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SensorFacts:
    """From the sensors' data sheets and the modules' product pages."""

    model: str
    """As it is written into EXIF."""
    sensor_width_mm: float
    """Of the active pixels: their number times their pitch."""
    focal_length_mm: float | None
    """None where the lens is the buyer's choice."""


MAKE = "Raspberry Pi"

SENSORS = {
    "ov5647": SensorFacts("Camera Module v1 (ov5647)", 2592 * 1.40e-3, 3.60),
    "imx219": SensorFacts("Camera Module v2 (imx219)", 3280 * 1.12e-3, 3.04),
    "imx708": SensorFacts("Camera Module 3 (imx708)", 4608 * 1.40e-3, 4.74),
    "imx708_wide": SensorFacts("Camera Module 3 Wide (imx708)", 4608 * 1.40e-3, 2.75),
    "imx477": SensorFacts("HQ Camera (imx477)", 4056 * 1.55e-3, None),
    "imx296": SensorFacts("Global Shutter Camera (imx296)", 1456 * 3.45e-3, None),
}
"""libcamera appends `_noir` for modules without an infrared filter; everything else is the same."""


def sensor_facts(libcamera_model: str) -> SensorFacts | None:
    """Return what is known of a sensor, or None for one that is not an official module's."""
    return SENSORS.get(libcamera_model.removesuffix("_noir"))
