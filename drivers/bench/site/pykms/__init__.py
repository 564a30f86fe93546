"""A machine without a display: the names that picamera2's DRM preview asks for, none of which can be opened.

python-kms++ exists only as a Raspberry Pi OS package, and picamera2 imports it whether or not a preview is wanted.
"""

import enum


class PixelFormat(enum.Enum):
    """The formats that picamera2 maps onto DRM planes."""

    RGB888 = enum.auto()
    BGR888 = enum.auto()
    XRGB8888 = enum.auto()
    XBGR8888 = enum.auto()
    ABGR8888 = enum.auto()
    YUV420 = enum.auto()
    YVU420 = enum.auto()
    NV12 = enum.auto()


class PlaneType(enum.Enum):
    Overlay = 0
    Primary = 1
    Cursor = 2


class _NoDisplay:
    def __init__(self, *_: object) -> None:
        raise RuntimeError("the bench has no display: use Picamera2.start(show_preview=False)")


class Card(_NoDisplay): ...


class ResourceManager(_NoDisplay): ...


class AtomicReq(_NoDisplay): ...


class DumbFramebuffer(_NoDisplay): ...


class DmabufFramebuffer(_NoDisplay): ...
