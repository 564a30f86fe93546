"""Photos of the bench's mat on a turning platter, as JPEGs: enough for whoever looks for pose and angle only."""

import cv2
import numpy as np
from mat_camera import MatCamera

from drivers.bench.scene import Exposure

WIDTH_PX, HEIGHT_PX = 640, 480


def mat_photo(angle_deg: float, elevation_deg: float = 40.0, covered: bool = False) -> bytes:
    camera = MatCamera(elevation_deg)
    camera.covered = covered
    out = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    camera(Exposure(WIDTH_PX, HEIGHT_PX, (angle_deg,)), out)
    return cv2.imencode(".jpg", out)[1].tobytes()
