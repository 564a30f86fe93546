"""A picture as a USB camera sends it."""

import cv2
import numpy as np
import simplejpeg

from drivers.picture import Planes

QUALITY = 92


def motion_jpeg(picture: Planes) -> bytes:
    """Return a whole JPEG."""
    return bytes(simplejpeg.encode_jpeg_yuv_planes(picture.y, picture.u, picture.v, quality=QUALITY))


def yuyv(picture: Planes) -> bytes:
    """Return brightness and colour in turns, in BT.601's limited range."""
    height, width = picture.y.shape
    rows = np.empty((height, width * 2), np.uint8)
    rows[:, 0::2] = np.round(picture.y * (219 / 255) + 16)
    for start, plane in ((1, picture.u), (3, picture.v)):
        tall = cv2.resize(plane, (width // 2, height), interpolation=cv2.INTER_NEAREST)
        rows[:, start::4] = np.round((tall.astype(np.float32) - 128) * (224 / 255) + 128)
    return rows.tobytes()
