"""Exposure, gain, white balance and focus as libcamera's controls, and whether a frame shows them."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from drivers.protocols import CameraSettings, CameraUnusable

AF_MODE_MANUAL = 0
LONGEST_FRAME_US = 1_000_000_000
ROUNDING_US = 1
"""Sensors expose whole lines and say so in whole µs, cut off: what they said, asked for again, would lose a line."""
EXPOSURE_TOLERANCE = 0.02
"""The sensor rounds an exposure to whole lines, and a gain to its register's steps."""
LINE_US = 40.0
"""At full resolution: of a short exposure more than that share."""
GAIN_TOLERANCE = 0.05
FOCUS_TOLERANCE_DIOPTRES = 0.05


def manual_controls(settings: CameraSettings) -> dict[str, Any]:
    """Return what leaves nothing to the automatics."""
    controls: dict[str, Any] = {
        "AeEnable": False,
        "AwbEnable": False,
        "ExposureTime": round(settings.exposure_us) + ROUNDING_US,
        "AnalogueGain": settings.analogue_gain,
        "ColourGains": settings.colour_gains,
    }
    if settings.focus_dioptres is not None:
        controls |= {"AfMode": AF_MODE_MANUAL, "LensPosition": settings.focus_dioptres}
    return controls


def pace_controls(frame_s: float | None) -> dict[str, Any]:
    """Return the shortest time from frame to frame; an exposure that needs longer takes longer."""
    return {"FrameDurationLimits": (round(frame_s * 1e6) if frame_s else 100, LONGEST_FRAME_US)}


def check_bounds(settings: CameraSettings, limits: dict[str, tuple[Any, Any, Any]], model: str) -> CameraSettings:
    """Return them with a gain that the sensor has; libcamera clamps without a word what it cannot do.

    `limits` are picamera2's `camera_controls`. Raises CameraUnusable: the lock would never be seen.
    """
    raised = replace(settings, analogue_gain=max(settings.analogue_gain, limits["AnalogueGain"][0]))
    _check("ExposureTime", round(raised.exposure_us), " µs", limits, model)
    _check("AnalogueGain", raised.analogue_gain, "", limits, model)
    if raised.focus_dioptres is not None:
        if "LensPosition" not in limits:
            raise CameraUnusable(f"{model}: has no focus motor; remove [camera] lens_position_dioptres")
        _check("LensPosition", raised.focus_dioptres, " dioptres", limits, model)
    return raised


def _check(name: str, value: float, unit: str, limits: dict[str, tuple[Any, Any, Any]], model: str) -> None:
    low, high, _ = limits[name]
    if not low <= value <= high:
        raise CameraUnusable(f"{model}: {name} {value}{unit} is outside {low} to {high}{unit}; change [camera]")


def shown_settings(metadata: dict[str, Any], focus_motor: bool) -> CameraSettings:
    """Return what a frame was taken with."""
    red, blue = metadata["ColourGains"]
    return CameraSettings(
        exposure_us=float(metadata["ExposureTime"]),
        analogue_gain=float(metadata["AnalogueGain"]),
        colour_gains=(float(red), float(blue)),
        focus_dioptres=float(metadata["LensPosition"]) if focus_motor and "LensPosition" in metadata else None,
    )


def in_words(settings: CameraSettings) -> str:
    """Return them for people."""
    red, blue = settings.colour_gains
    focus = "" if settings.focus_dioptres is None else f", focus {settings.focus_dioptres:.2f} dioptres"
    return (
        f"exposure {settings.exposure_us:.0f} µs, gain {settings.analogue_gain:.2f}, "
        f"red {red:.2f}, blue {blue:.2f}{focus}"
    )


def shows(shown: CameraSettings, wanted: CameraSettings) -> bool:
    """Whether a frame was taken with what was asked for, as nearly as the sensor can do it."""
    return (
        math.isclose(shown.exposure_us, wanted.exposure_us, rel_tol=EXPOSURE_TOLERANCE, abs_tol=LINE_US)
        and math.isclose(shown.analogue_gain, wanted.analogue_gain, rel_tol=GAIN_TOLERANCE)
        and bool(np.allclose(shown.colour_gains, wanted.colour_gains, rtol=GAIN_TOLERANCE))
        and _focused(shown.focus_dioptres, wanted.focus_dioptres)
    )


def _focused(shown: float | None, wanted: float | None) -> bool:
    return wanted is None or (shown is not None and abs(shown - wanted) <= FOCUS_TOLERANCE_DIOPTRES)
