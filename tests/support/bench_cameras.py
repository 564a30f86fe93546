"""The cameras that the bench has, with pictures that cost nothing."""

from dataclasses import replace
from typing import Any

from drivers import registry
from drivers.options import Picamera2Options
from drivers.options_gphoto2 import Gphoto2Options
from drivers.options_v4l2 import V4l2Options
from drivers.protocols import Camera

OPTIONS = {
    "picamera2": Picamera2Options(width_px=320, height_px=240, focal_length_mm=9.0),
    "v4l2": V4l2Options(width_px=320, height_px=240),
    "gphoto2": Gphoto2Options(width_px=320, height_px=240),
}
STREAMS = ("picamera2", "v4l2")
"""A DSLR takes a photo when it is asked for one: what a stream shows between two is no frame of its own."""
FOCUS = {"picamera2": "lens_position_dioptres", "v4l2": "focus_dioptres"}
MODEL = {"picamera2": "imx477", "v4l2": "Bench Webcam", "gphoto2": "Bench EOS 1"}


def build_camera(kind: str = "picamera2", **changes: Any) -> Camera:
    camera: Camera = registry.camera_driver(kind)(replace(OPTIONS[kind], **changes))
    return camera
