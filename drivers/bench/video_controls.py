"""The controls of a simulated USB camera, in its own units, and what they mean to its sensor."""

import errno
import math
import os
from typing import Any

import videodev2 as v4l2

from drivers.bench.sensor_models import SensorModel
from drivers.bench.sensor_settings import DEFAULT_FOCUS_DIOPTRES, SensorSettings

MANUAL, APERTURE_PRIORITY = 1, 3
STEPS_A_STOP = 64
"""Its gain doubles with so many."""
NEUTRAL_K = 5000
NEUTRAL_RED, NEUTRAL_BLUE = 2.1, 1.9
POWER = 0.6
FOCUS_STEPS = 250

EXPOSURE, EXPOSURE_MODE = v4l2.V4L2_CID_EXPOSURE_ABSOLUTE, v4l2.V4L2_CID_EXPOSURE_AUTO
GAIN = v4l2.V4L2_CID_GAIN
TEMPERATURE, WHITE_BY_ITSELF = v4l2.V4L2_CID_WHITE_BALANCE_TEMPERATURE, v4l2.V4L2_CID_AUTO_WHITE_BALANCE
FOCUS, FOCUS_BY_ITSELF = v4l2.V4L2_CID_FOCUS_ABSOLUTE, v4l2.V4L2_CID_FOCUS_AUTO

Range = tuple[int, int, int, int]
"""Lowest, highest, step, usual."""


class VideoControls:
    """What is set, and what was changed since the sensor last asked."""

    def __init__(self, model: SensorModel) -> None:
        """As after plugging in: everything by itself."""
        self._nearest_dioptres = model.focus_range_dioptres[1] if model.focus_range_dioptres else 0.0
        self.ranges: dict[int, Range] = {
            EXPOSURE_MODE: (0, 3, 1, APERTURE_PRIORITY),
            EXPOSURE: (3, 5000, 1, 250),
            GAIN: (0, 255, 1, 0),
            WHITE_BY_ITSELF: (0, 1, 1, 1),
            TEMPERATURE: (2000, 7500, 10, 4600),
        }
        """Take one away before it is opened: another camera has fewer."""
        if model.focus_range_dioptres:
            usual = round(DEFAULT_FOCUS_DIOPTRES / self._nearest_dioptres * FOCUS_STEPS)
            self.ranges |= {FOCUS: (0, FOCUS_STEPS, 5, usual), FOCUS_BY_ITSELF: (0, 1, 1, 1)}
        self._values = {number: usual for number, (_, _, _, usual) in self.ranges.items()}
        self._changed: dict[str, Any] = {}

    def tell(self, asked: Any) -> None:
        """VIDIOC_QUERYCTRL."""
        asked.minimum, asked.maximum, asked.step, asked.default_value = self._range(asked.id)

    def get(self, asked: Any) -> None:
        """VIDIOC_G_CTRL."""
        self._range(asked.id)
        asked.value = self._values[asked.id]

    def set(self, asked: Any) -> None:
        """VIDIOC_S_CTRL: as uvcvideo, it refuses what an automatic has in its hands."""
        low, high, step, _ = self._range(asked.id)
        if asked.id == EXPOSURE_MODE and asked.value not in (MANUAL, APERTURE_PRIORITY):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if self._is_automatic(asked.id):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        clamped = min(max(asked.value, low), high)
        self._values[asked.id] = low + (clamped - low) // step * step
        self._changed |= self._for_sensor(asked.id)

    def taken(self) -> dict[str, Any]:
        """Return, by libcamera's names, what was changed since the last time."""
        changed, self._changed = self._changed, {}
        return changed

    def settings(self) -> SensorSettings:
        """Return what the sensor starts with."""
        changed: dict[str, Any] = {}
        for number in self.ranges:
            changed |= self._for_sensor(number)
        changed.pop("AfTrigger", None)
        self._changed = {"AfTrigger": 0} if self._values.get(FOCUS_BY_ITSELF) else {}
        return SensorSettings().after(changed)

    def realised(self, settings: SensorSettings) -> None:
        """Take over what the automatics have come to, unless they were switched off meanwhile."""
        exposes = self._values[EXPOSURE_MODE] != MANUAL
        if settings.auto_exposure and exposes:
            self._values[EXPOSURE] = max(1, round(settings.exposure_us / 100))
        if settings.auto_gain and exposes:
            self._values[GAIN] = round(STEPS_A_STOP * math.log2(settings.analogue_gain))
        if settings.auto_white_balance and self._values.get(WHITE_BY_ITSELF):
            red, blue = settings.colour_gains
            warmth = (red / NEUTRAL_RED * NEUTRAL_BLUE / blue) ** (1 / (2 * POWER))
            self._values[TEMPERATURE] = round(NEUTRAL_K * warmth / 10) * 10
        if settings.af_mode and settings.focus_dioptres is not None and self._values[FOCUS_BY_ITSELF]:
            steps = settings.focus_dioptres / self._nearest_dioptres * FOCUS_STEPS
            self._values[FOCUS] = round(steps / 5) * 5

    def _range(self, number: int) -> Range:
        if number not in self.ranges:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self.ranges[number]

    def _is_automatic(self, number: int) -> bool:
        return (
            (number == EXPOSURE and self._values[EXPOSURE_MODE] != MANUAL)
            or (number == TEMPERATURE and bool(self._values.get(WHITE_BY_ITSELF)))
            or (number == FOCUS and bool(self._values[FOCUS_BY_ITSELF]))
        )

    def _for_sensor(self, number: int) -> dict[str, Any]:
        value = self._values[number]
        match number:
            case v4l2.V4L2_CID_EXPOSURE_AUTO:
                mode = int(value == MANUAL)
                kept = {"ExposureTime": self._values[EXPOSURE] * 100, "AnalogueGain": self._gain} if mode else {}
                return {"ExposureTimeMode": mode, "AnalogueGainMode": mode} | kept
            case v4l2.V4L2_CID_EXPOSURE_ABSOLUTE:
                return {"ExposureTime": value * 100}
            case v4l2.V4L2_CID_GAIN:
                return {"AnalogueGain": self._gain}
            case v4l2.V4L2_CID_AUTO_WHITE_BALANCE if value:
                return {"AwbEnable": True}
            case v4l2.V4L2_CID_AUTO_WHITE_BALANCE | v4l2.V4L2_CID_WHITE_BALANCE_TEMPERATURE:
                warmth = (self._values[TEMPERATURE] / NEUTRAL_K) ** POWER
                gains = (NEUTRAL_RED * warmth, NEUTRAL_BLUE / warmth)
                return {} if self._values.get(WHITE_BY_ITSELF) else {"AwbEnable": False, "ColourGains": gains}
            case v4l2.V4L2_CID_FOCUS_AUTO:
                return {"AfMode": 1, "AfTrigger": 0} if value else {"AfMode": 0, "LensPosition": self._focus_dioptres}
            case _:
                return {"LensPosition": self._focus_dioptres}

    @property
    def _gain(self) -> float:
        return float(2 ** (self._values[GAIN] / STEPS_A_STOP))

    @property
    def _focus_dioptres(self) -> float:
        return float(self._values[FOCUS] / FOCUS_STEPS * self._nearest_dioptres)
