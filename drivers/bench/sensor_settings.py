"""What the registers of a sensor and the image pipeline behind it hold, as libcamera's controls set it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from drivers.bench.sensor_models import BLANKING_LINES, IMX477, SensorMode, SensorModel
from drivers.bench.world import Shot

DEFAULT_FOCUS_DIOPTRES = 1.0
"""Where libcamera puts a lens that nobody has moved."""

PixelWindow = tuple[int, int, int, int]
"""On the sensor's full array: left, top, width, height."""


@dataclass(frozen=True)
class SensorSettings:
    """What the registers and the image pipeline hold for one frame."""

    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    colour_gains: tuple[float, float] = (2.1, 1.9)
    auto_exposure: bool = True
    auto_gain: bool = True
    auto_white_balance: bool = True
    frame_duration_us: tuple[float, float] = (0.0, float(IMX477.longest_frame_us))
    focus_dioptres: float | None = None
    """None: the lens has no motor, or nobody has moved it."""
    af_mode: int = 0
    """libcamera's: 0 manual, 1 automatic when triggered."""
    af_windows: tuple[PixelWindow, ...] = ()
    """On the sensor's full array: left, top, width, height. None at all: the middle."""

    def after(self, controls: Mapping[str, Any]) -> "SensorSettings":
        """Return the settings once these libcamera controls have been applied."""
        changes: dict[str, Any] = {}
        if "AeEnable" in controls:
            changes |= {"auto_exposure": controls["AeEnable"], "auto_gain": controls["AeEnable"]}
        if "ExposureTimeMode" in controls:
            changes["auto_exposure"] = controls["ExposureTimeMode"] == 0
        if "AnalogueGainMode" in controls:
            changes["auto_gain"] = controls["AnalogueGainMode"] == 0
        if "ColourGains" in controls:
            # Whoever sets them has switched the automatic off, as with the real one.
            changes["auto_white_balance"] = False
        if "AwbEnable" in controls:
            changes["auto_white_balance"] = controls["AwbEnable"]
        if "AfWindows" in controls:
            changes["af_windows"] = tuple(
                (window.x, window.y, window.width, window.height) for window in controls["AfWindows"]
            )
        for control, field in (
            ("ExposureTime", "exposure_us"),
            ("AnalogueGain", "analogue_gain"),
            ("ColourGains", "colour_gains"),
            ("FrameDurationLimits", "frame_duration_us"),
            ("LensPosition", "focus_dioptres"),
            ("AfMode", "af_mode"),
        ):
            if control in controls:
                changes[field] = controls[control]
        return replace(self, **changes)

    @property
    def automatic(self) -> bool:
        """Whether anything is left to the algorithms on the host."""
        return self.auto_exposure or self.auto_gain or self.auto_white_balance

    def realised(self, model: SensorModel, mode: SensorMode) -> "SensorSettings":
        """Return what the sensor makes of it: registers rounded, limits kept."""
        focus = self.focus_dioptres
        if model.focus_range_dioptres is not None:
            low, high = model.focus_range_dioptres
            focus = min(max(DEFAULT_FOCUS_DIOPTRES if focus is None else focus, low), high)
        return replace(
            self,
            exposure_us=self._whole_lines_us(self.exposure_us, mode),
            analogue_gain=model.register_gain(self.analogue_gain),
            focus_dioptres=focus,
        )

    def shot(self, start_s: float) -> Shot:
        """Return what the sensor does with them."""
        return Shot(start_s, self.exposure_us, self.analogue_gain, self.colour_gains, self.focus_dioptres)

    def frame_s(self, mode: SensorMode) -> float:
        """Return the time until the next frame, for realised settings."""
        needed_s = self.exposure_us * 1e-6 + BLANKING_LINES * mode.line_s
        return max(mode.frame_time_s, needed_s, self.frame_duration_us[0] * 1e-6)

    def _whole_lines_us(self, exposure_us: float, mode: SensorMode) -> float:
        longest_us = max(self.frame_duration_us[1], mode.frame_time_s * 1e6) - BLANKING_LINES * mode.line_s * 1e6
        lines = max(1, math.floor(min(exposure_us, longest_us) * 1e-6 / mode.line_s))
        return float(round(lines * mode.line_s * 1e6))
