"""Exposing for highlights on a camera whose gain is steeper than its numbers say: it comes to rest from anywhere."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from still_life import MIDDLE

from drivers.bench.picture.textures import linear_to_srgb
from drivers.camera_exposure import HIGHLIGHT_LEVEL, HIGHLIGHT_TOLERANCE_LEVELS, highlight_level
from drivers.camera_highlights import exposed_for_highlights, least_noise
from drivers.picture import Planes
from drivers.protocols import CameraSettings

STARTS_US = np.geomspace(2_000, 400_000, 60)


class SteepCamera:
    """`StreamSession` as far as it is asked: its gain doubles where its numbers grow by a quarter of their range."""

    model = "steep"
    limits: ClassVar = {"ExposureTime": (300.0, 500_000.0, 25_000.0), "AnalogueGain": (1.0, 16.0, 1.0)}

    def __init__(self, brightness: float) -> None:
        """`brightness` of what it sees: saturates at 1 with 20 000 µs and no gain."""
        self._brightness = brightness
        self.locked = CameraSettings(20_000.0, 1.0, (2.0, 2.0), None)

    def lock(self, settings: CameraSettings) -> CameraSettings:
        steps = round((settings.analogue_gain - 1) / 15 * 255)
        self.locked = replace(
            settings,
            exposure_us=round(settings.exposure_us / 100) * 100.0,
            analogue_gain=1 + steps * 15 / 255,
        )
        return self.locked

    def picture(self) -> Planes:
        gain = 2 ** ((self.locked.analogue_gain - 1) / 15 * 255 / 64)
        light = np.full((48, 64, 3), self._brightness * gain * self.locked.exposure_us / 20_000, np.float32)
        return Planes.from_rgb((linear_to_srgb(np.clip(light, 0, 1)) * 255 + 0.5).astype(np.uint8))


@pytest.mark.parametrize("brightness", [0.03, 0.045, 0.05, 0.055, 0.1, 0.9, 8.0])
def test_highlights_come_to_rest_from_wherever_the_camera_began(brightness: float) -> None:
    for start_us in STARTS_US:
        camera = SteepCamera(brightness)
        began = camera.lock(least_noise(camera.locked, float(start_us), camera.limits))
        found = exposed_for_highlights(camera, began, MIDDLE, SteepCamera.picture)  # type: ignore[type-var]
        assert found == camera.locked
        level = highlight_level(camera.picture(), MIDDLE)
        assert level == pytest.approx(HIGHLIGHT_LEVEL, abs=HIGHLIGHT_TOLERANCE_LEVELS + 2), start_us
