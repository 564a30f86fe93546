"""What USB cameras deliver, as planes: Motion-JPEG, or brightness and colour in turns (YUYV)."""

import cv2
import numpy as np
import videodev2 as v4l2
from numpy.typing import NDArray

from drivers.camera_stream_faults import BrokenPicture
from drivers.picture import Planes, companion_size_px
from drivers.v4l2_device import PixelFormat

MJPEG, YUYV = v4l2.V4L2_PIX_FMT_MJPEG, v4l2.V4L2_PIX_FMT_YUYV
FORMATS = (MJPEG, YUYV)
"""Best first: over USB 2 only Motion-JPEG brings full resolution more than a few times a second."""
SHORTER = "use a shorter USB cable, or a socket without a hub"
BLACK, WHITE, COLOUR_SPAN = 16, 235, 224
"""ITU-R BT.601's limited range."""


def photo(data: bytes, pixel_format: PixelFormat) -> Planes:
    """Return the whole picture, its sides made even. Raises BrokenPicture."""
    if pixel_format.fourcc == YUYV:
        return _from_yuyv(data, pixel_format)
    return Planes.from_rgb(_decoded(data, cv2.IMREAD_COLOR_RGB))


def companion(data: bytes, pixel_format: PixelFormat) -> Planes:
    """Return its companion; of a JPEG only so much is decoded. Raises BrokenPicture."""
    width_px, height_px = companion_size_px(pixel_format.width_px, pixel_format.height_px)
    if pixel_format.fourcc == YUYV:
        return _from_yuyv(data, pixel_format).shrunk(width_px, height_px)
    quarter = pixel_format.width_px // width_px >= 4
    pixels = _decoded(data, cv2.IMREAD_REDUCED_COLOR_4 if quarter else cv2.IMREAD_REDUCED_COLOR_2)
    small = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)
    # The reduced ways of OpenCV know blue, green, red only.
    return Planes.from_rgb(np.asarray(small[..., ::-1], np.uint8, order="C"))


def _decoded(data: bytes, way: int) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), way) if data else None
    if pixels is None:
        raise BrokenPicture(f"camera: {len(data)} bytes that are no whole JPEG; {SHORTER}")
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    return np.asarray(pixels[:height, :width], np.uint8)


def _from_yuyv(data: bytes, pixel_format: PixelFormat) -> Planes:
    """Colours are shared by two pixels of a row there, by four here."""
    width, height, row = pixel_format.width_px, pixel_format.height_px, pixel_format.row_bytes
    if len(data) < height * row:
        raise BrokenPicture(f"camera: {len(data)} of {height * row} bytes of a picture; {SHORTER}")
    rows = np.frombuffer(data, np.uint8, height * row).reshape(height, row)[:, : width * 2]
    height = height // 2 * 2
    y, u, v = rows[:height, 0::2], rows[:height, 1::4], rows[:height, 3::4]
    half = (width // 2, height // 2)
    planes = [y.copy(), *(cv2.resize(np.ascontiguousarray(c), half, interpolation=cv2.INTER_AREA) for c in (u, v))]
    if not pixel_format.full_range:
        planes = [cv2.LUT(plane, table) for plane, table in zip(planes, (_BRIGHT, _COLOUR, _COLOUR), strict=True)]
    return Planes(*(np.asarray(plane, np.uint8) for plane in planes))


def _table(middle: float, result: float, span: float) -> NDArray[np.uint8]:
    levels = (np.arange(256) - middle) * 255 / span + result
    return np.asarray(np.clip(np.round(levels), 0, 255), np.uint8)


_BRIGHT = _table(BLACK, 0, WHITE - BLACK)
_COLOUR = _table(128, 128, COLOUR_SPAN)
