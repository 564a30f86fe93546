"""What the camera's automatics see of the scene: computed from small pictures, and only when something changed."""

from collections.abc import Hashable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.automatics import NEUTRAL_GAINS, Eye, Light
from drivers.bench.camera_rig import CameraRig, Size
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.scene import Exposure
from drivers.bench.sensor_settings import PixelWindow
from drivers.bench.world import Shot

METERED_US = 5_000.0
"""A quarter of the bench's usual exposure, so that nothing in the picture is clipped."""


class LightMeter:
    """Looks through one camera's lens at pictures of one size."""

    def __init__(self, rig: CameraRig, size_px: Size) -> None:
        self._rig = rig
        self._size_px = size_px
        self._known: dict[Hashable, Light] = {}

    @property
    def eye(self) -> Eye:
        """As the automatics want it."""
        return Eye(self.light, self.sharpness)

    def light(self) -> Light:
        """Return how bright the scene is."""
        sight = replace(self._sight(None), noise_seed=0)
        key = (sight.object_present, sight.upside_down, sight.brightness, sight.tint, sight.elevation_deg)
        if key not in self._known:
            linear = srgb_to_linear(self._rig.develop_rgb(sight)).reshape(-1, 3).mean(axis=0)
            red, green, blue = (float(mean) * 20_000.0 / METERED_US for mean in linear)
            self._known[key] = Light(red / NEUTRAL_GAINS[0], green, blue / NEUTRAL_GAINS[1])
        return self._known[key]

    def sharpness(self, focus_dioptres: float, windows: tuple[PixelWindow, ...]) -> float:
        """Return how steep brightness is on the windows, or in the middle, with the lens at this place."""
        picture = self._rig.develop(self._sight(focus_dioptres)).y
        steep = np.abs(cv2.Laplacian(cv2.GaussianBlur(picture, (3, 3), 0), cv2.CV_32F))
        parts = [steep[self._rows_and_columns(window)] for window in windows] or [_middle(steep)]
        return float(np.concatenate([part.reshape(-1) for part in parts]).mean())

    def _sight(self, focus_dioptres: float | None) -> Exposure:
        now_s = self._rig.world.clock.now_s()
        return self._rig.sight(Shot(now_s, METERED_US, 1.0, NEUTRAL_GAINS, focus_dioptres), self._size_px)

    def _rows_and_columns(self, window: PixelWindow) -> tuple[slice, slice]:
        full, (width_px, height_px) = self._rig.model.full, self._size_px
        left, top, wide, high = window
        across, down = width_px / full.width_px, height_px / full.height_px
        return (
            slice(round(top * down), max(round((top + high) * down), round(top * down) + 1)),
            slice(round(left * across), max(round((left + wide) * across), round(left * across) + 1)),
        )


def _middle(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    return plane[height // 3 : -height // 3, width // 3 : -width // 3]
