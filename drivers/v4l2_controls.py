"""Exposure, gain, white balance and focus as a USB camera's controls.

Exposure is in units of 100 µs (V4L2_CID_EXPOSURE_ABSOLUTE). Gain and focus have no units, and white balance is one
temperature: each is mapped to a scale that is the same both ways, so that what was found can be asked for again.
"""

from collections.abc import Mapping
from typing import Any

import videodev2 as v4l2

from drivers.protocols import CameraSettings, CameraUnusable
from drivers.v4l2_device import ControlRange, VideoDevice

UNIT_US = 100.0
MANUAL, BY_ITSELF, SHUTTER_BY_ITSELF = 1, 0, 3
"""V4L2_CID_EXPOSURE_AUTO; a USB camera leaves the aperture, which it does not have, to its owner."""
HIGHEST_GAIN = 16.0
NEAREST_DIOPTRES = 10.0
NEUTRAL_K, NEUTRAL_RED, NEUTRAL_BLUE = 4600.0, 2.0, 2.0
RED_OVER_BLUE_POWER = 1.2
"""How red over blue grows with the temperature that a camera is set to, between lamps and daylight."""

EXPOSURE, EXPOSURE_MODE = v4l2.V4L2_CID_EXPOSURE_ABSOLUTE, v4l2.V4L2_CID_EXPOSURE_AUTO
EXPOSURE_BEFORE_RATE = v4l2.V4L2_CID_EXPOSURE_AUTO_PRIORITY
GAIN = v4l2.V4L2_CID_GAIN
TEMPERATURE, WHITE_BY_ITSELF = v4l2.V4L2_CID_WHITE_BALANCE_TEMPERATURE, v4l2.V4L2_CID_AUTO_WHITE_BALANCE
FOCUS, FOCUS_BY_ITSELF = v4l2.V4L2_CID_FOCUS_ABSOLUTE, v4l2.V4L2_CID_FOCUS_AUTO

Ranges = dict[int, ControlRange]


def ranges(device: VideoDevice) -> Ranges:
    """Return the controls that matter here and that this camera has. Raises CameraUnusable without an exposure's."""
    asked = (
        EXPOSURE, EXPOSURE_MODE, EXPOSURE_BEFORE_RATE, GAIN, TEMPERATURE, WHITE_BY_ITSELF, FOCUS, FOCUS_BY_ITSELF
    )  # fmt: skip
    found = {number: control for number in asked if (control := device.control(number)) is not None}
    if EXPOSURE not in found or EXPOSURE_MODE not in found:
        raise CameraUnusable(
            f"{device.name}: its exposure cannot be set, so photos of one scan would differ; use another camera"
        )
    return found


def limits(has: Ranges) -> Mapping[str, tuple[Any, Any, Any]]:
    """Return them by libcamera's names and in its units."""
    exposure = has[EXPOSURE]
    bounds: dict[str, tuple[Any, Any, Any]] = {
        "ExposureTime": (exposure.lowest * UNIT_US, exposure.highest * UNIT_US, exposure.usual * UNIT_US),
        "AnalogueGain": (1.0, HIGHEST_GAIN if GAIN in has else 1.0, 1.0),
    }
    if FOCUS in has:
        bounds["LensPosition"] = (0.0, NEAREST_DIOPTRES, 0.0)
    return bounds


def manual_values(settings: CameraSettings, has: Ranges) -> dict[int, int]:
    """Return what leaves nothing to the camera, in the order in which it takes them: each automatic off first."""
    red, blue = settings.colour_gains
    values: dict[int, float] = {
        EXPOSURE_MODE: MANUAL,
        EXPOSURE_BEFORE_RATE: 1,
        EXPOSURE: settings.exposure_us / UNIT_US,
        WHITE_BY_ITSELF: 0,
        TEMPERATURE: NEUTRAL_K * (red / NEUTRAL_RED * NEUTRAL_BLUE / blue) ** (1 / RED_OVER_BLUE_POWER),
    }
    if GAIN in has:
        values[GAIN] = _on_scale(has[GAIN], (settings.analogue_gain - 1) / (HIGHEST_GAIN - 1))
    if settings.focus_dioptres is not None and FOCUS in has:
        values |= {FOCUS_BY_ITSELF: 0, FOCUS: _on_scale(has[FOCUS], settings.focus_dioptres / NEAREST_DIOPTRES)}
    return {number: has[number].nearest(value) for number, value in values.items() if number in has}


def automatic_values(has: Ranges) -> dict[int, tuple[int, ...]]:
    """Return what leaves everything to the camera; of several values the first that it takes."""
    wanted = {
        EXPOSURE_MODE: (SHUTTER_BY_ITSELF, BY_ITSELF),
        EXPOSURE_BEFORE_RATE: (1,),
        WHITE_BY_ITSELF: (1,),
        FOCUS_BY_ITSELF: (1,),
    }
    return {number: values for number, values in wanted.items() if number in has}


def shown_settings(device: VideoDevice, has: Ranges) -> CameraSettings:
    """Return what the camera says that it is set to."""
    warm = (device.value(TEMPERATURE) / NEUTRAL_K) ** (RED_OVER_BLUE_POWER / 2) if TEMPERATURE in has else 1.0
    return CameraSettings(
        exposure_us=device.value(EXPOSURE) * UNIT_US,
        analogue_gain=1 + (HIGHEST_GAIN - 1) * _share(device, has, GAIN),
        colour_gains=(NEUTRAL_RED * warm, NEUTRAL_BLUE / warm),
        focus_dioptres=NEAREST_DIOPTRES * _share(device, has, FOCUS) if FOCUS in has else None,
    )


def _on_scale(control: ControlRange, share: float) -> float:
    return control.lowest + share * (control.highest - control.lowest)


def _share(device: VideoDevice, has: Ranges, number: int) -> float:
    if number not in has or has[number].highest == has[number].lowest:
        return 0.0
    control = has[number]
    return (device.value(number) - control.lowest) / (control.highest - control.lowest)
