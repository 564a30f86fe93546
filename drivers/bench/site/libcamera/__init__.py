"""A simulated libcamera, of which picamera2 sees no difference: the camera's far side on the bench.

Only what picamera2 0.3 uses is here; a test compares the two. `plug_in` and `unplug` are the bench's own.
"""

import sys

from libcamera import _controls as controls
from libcamera import _properties as properties
from libcamera._camera import Camera, CameraManager, plug_in, unplug
from libcamera._configuration import (
    CameraConfiguration,
    SensorConfiguration,
    Stream,
    StreamConfiguration,
    StreamRole,
)
from libcamera._control_types import ControlId, ControlInfo, ControlType
from libcamera._geometry import ColorSpace, Orientation, PixelFormat, Rectangle, Size, Transform
from libcamera._request import FrameBuffer, FrameMetadata, Request

_libcamera = sys.modules[__name__]
"""Where the real package keeps its compiled half; picamera2 compares types through it."""

__all__ = [
    "Camera",
    "CameraConfiguration",
    "CameraManager",
    "ColorSpace",
    "ControlId",
    "ControlInfo",
    "ControlType",
    "FrameBuffer",
    "FrameMetadata",
    "Orientation",
    "PixelFormat",
    "Rectangle",
    "Request",
    "SensorConfiguration",
    "Size",
    "Stream",
    "StreamConfiguration",
    "StreamRole",
    "Transform",
    "controls",
    "plug_in",
    "properties",
    "unplug",
]
