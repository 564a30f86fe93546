"""Diffraction, aberration and focus: how wide a point of the scene spreads on the sensor."""

import cv2
import numpy as np

from drivers.bench.picture.rays import Floats
from drivers.bench.scene import SceneCamera

_WAVELENGTH_MM = 0.00055
_ABERRATION_PX_AT_1600 = 0.35
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


def blurred(light: Floats, spread: Floats) -> Floats:
    """Return the picture (H, W, 3) blurred at each pixel by its own Gaussian, mixed from a few common ones."""
    least, most = float(spread.min()), float(spread.max())
    count = 1 + max(0, int(np.ceil(np.log(most / least) / np.log(_NEXT_LEVEL) - 0.15)))
    widths = np.geomspace(least, most, count) if count > 1 else np.array([(least + most) / 2])
    layers = [_gaussian(light, float(width)) for width in widths]
    result = layers[0]
    for level in range(1, count):
        low, high = widths[level - 1] ** 2, widths[level] ** 2
        share = np.clip((spread * spread - np.float32(low)) / np.float32(high - low), 0, 1)
        result = result + (layers[level] - result) * share[..., None]
    return np.asarray(result, dtype=np.float32)


def _gaussian(light: Floats, width_px: float) -> Floats:
    if width_px < 0.12:
        return light
    side = 2 * int(np.ceil(3 * width_px)) + 1
    return np.asarray(cv2.GaussianBlur(light, (side, side), width_px, borderType=cv2.BORDER_REPLICATE))
