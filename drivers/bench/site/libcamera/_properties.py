"""What does not change about a camera."""

import enum

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


def of(model):
    """A camera with a colour filter: picamera2 takes one without for a USB camera."""
    full = model.full
    return {
        ColorFilterArrangement: draft.ColorFilterArrangementEnum.RGGB,
        Location: 2,
        Model: model.name,
        PixelArraySize: Size(full.width_px, full.height_px),
        Rotation: 180,
        UnitCellSize: Size(model.pitch_nm, model.pitch_nm),
    }
