"""Diffraction, aberration and focus: how wide a point of the scene spreads on the sensor."""

import cv2
import numpy as np

from drivers.bench.picture.rays import Floats
from drivers.bench.scene import SceneCamera

_WAVELENGTH_MM = 0.00055
_ABERRATION_PX_AT_1600 = 0.35
_SHARP_PX = 0.12
_NEXT_LEVEL = 1.5
"""Two blurs whose widths differ by no more than this are mixed for what lies between."""


def spread_px(camera: SceneCamera, width_px: int, depth_mm: Floats) -> Floats:
    """Return the standard deviation of the point spread at each depth.

    Diffraction counts as a Gaussian of 0.45 wavelengths times the f-number; the circle of confusion of a thin
    lens, aperture * f / (s - f) * |d - s| / d, counts as a Gaussian of a quarter of its diameter: same variance.
    """
    pitch_mm = camera.focal_length_mm / (camera.focal_px_at_1600 * width_px / 1600)
    aperture_mm = camera.focal_length_mm / camera.f_number
    focus_mm = max(camera.focus_distance_mm, 2 * camera.focal_length_mm)
    image_scale = aperture_mm * camera.focal_length_mm / (focus_mm - camera.focal_length_mm) / pitch_mm
    confusion = image_scale * np.abs(depth_mm - focus_mm) / np.maximum(depth_mm, 1)
    diffraction = 0.45 * _WAVELENGTH_MM * camera.f_number / pitch_mm
    aberration = _ABERRATION_PX_AT_1600 * width_px / 1600
    return np.asarray(np.sqrt(diffraction**2 + aberration**2 + (confusion / 4) ** 2), dtype=np.float32)


class Blur:
    """Spreads every pixel by its own Gaussian, mixed from a few common ones."""

    def __init__(self, spread: Floats) -> None:
        least, most = float(spread.min()), float(spread.max())
        count = 1 + max(0, int(np.ceil(np.log(most / least) / np.log(_NEXT_LEVEL) - 0.15)))
        self._spread = spread
        self._widths = np.geomspace(least, most, count) if count > 1 else np.array([(least + most) / 2])
        self._margin = _reach_px(float(self._widths[-1]))

    def rows(self, light: Floats, first: int, last: int) -> Floats:
        """Return the rows from `first` up to `last` of the picture (H, W, 3), blurred."""
        low, high = max(0, first - self._margin), min(len(light), last + self._margin)
        inner = slice(first - low, last - low)
        layers = [_gaussian(light[low:high], float(width))[inner] for width in self._widths]
        spread = self._spread[first:last]
        result = layers[0]
        for level in range(1, len(layers)):
            finer, coarser = self._widths[level - 1] ** 2, self._widths[level] ** 2
            share = np.clip((spread * spread - np.float32(finer)) / np.float32(coarser - finer), 0, 1)
            result = result + (layers[level] - result) * share[..., None]
        return np.asarray(result, dtype=np.float32)


def _reach_px(width_px: float) -> int:
    return int(np.ceil(3 * width_px))


def _gaussian(light: Floats, width_px: float) -> Floats:
    if width_px < _SHARP_PX:
        return light
    side = 2 * _reach_px(width_px) + 1
    return np.asarray(cv2.GaussianBlur(light, (side, side), width_px, borderType=cv2.BORDER_REPLICATE))
