"""What does not change about a camera."""

import enum

from drivers.bench.sensor import MODEL, MODES
from libcamera._control_types import ControlId, ControlType
from libcamera._geometry import Size

ColorFilterArrangement = ControlId(101, "ColorFilterArrangement", ControlType.Integer32)
Location = ControlId(102, "Location", ControlType.Integer32)
Model = ControlId(103, "Model", ControlType.String)
PixelArraySize = ControlId(104, "PixelArraySize", ControlType.Size)
Rotation = ControlId(105, "Rotation", ControlType.Integer32)
UnitCellSize = ControlId(106, "UnitCellSize", ControlType.Size)


class draft:
    class ColorFilterArrangementEnum(enum.IntEnum):
        RGGB = 0
        GRBG = 1
        GBRG = 2
        BGGR = 3
        RGB = 4
        MONO = 5


def of_the_bench():
    """An HQ camera: picamera2 takes one without a colour filter for a USB camera."""
    full = max(MODES, key=lambda mode: mode.width_px)
    return {
        ColorFilterArrangement: draft.ColorFilterArrangementEnum.RGGB,
        Location: 2,
        Model: MODEL,
        PixelArraySize: Size(full.width_px, full.height_px),
        Rotation: 180,
        UnitCellSize: Size(1550, 1550),
    }
