"""The controls and the metadata of the bench's sensors, as libcamera names them."""

import enum

from libcamera._control_types import ControlId, ControlInfo, ControlType
from libcamera._geometry import Rectangle

AeEnable = ControlId(1, "AeEnable", ControlType.Bool)
AnalogueGain = ControlId(2, "AnalogueGain", ControlType.Float)
AnalogueGainMode = ControlId(3, "AnalogueGainMode", ControlType.Integer32)
AwbEnable = ControlId(4, "AwbEnable", ControlType.Bool)
ColourGains = ControlId(5, "ColourGains", ControlType.Float)
ColourTemperature = ControlId(6, "ColourTemperature", ControlType.Integer32)
DigitalGain = ControlId(7, "DigitalGain", ControlType.Float)
ExposureTime = ControlId(8, "ExposureTime", ControlType.Integer32)
ExposureTimeMode = ControlId(9, "ExposureTimeMode", ControlType.Integer32)
FocusFoM = ControlId(10, "FocusFoM", ControlType.Integer32)
FrameDuration = ControlId(11, "FrameDuration", ControlType.Integer64)
FrameDurationLimits = ControlId(12, "FrameDurationLimits", ControlType.Integer64)
Lux = ControlId(13, "Lux", ControlType.Float)
NoiseReductionMode = ControlId(14, "NoiseReductionMode", ControlType.Integer32)
ScalerCrop = ControlId(15, "ScalerCrop", ControlType.Rectangle)
SensorTemperature = ControlId(16, "SensorTemperature", ControlType.Float)
SensorTimestamp = ControlId(17, "SensorTimestamp", ControlType.Integer64)
AfMode = ControlId(18, "AfMode", ControlType.Integer32)
AfTrigger = ControlId(19, "AfTrigger", ControlType.Integer32)
AfState = ControlId(20, "AfState", ControlType.Integer32)
AfMetering = ControlId(21, "AfMetering", ControlType.Integer32)
AfWindows = ControlId(22, "AfWindows", ControlType.Rectangle)
LensPosition = ControlId(23, "LensPosition", ControlType.Float)
ColourCorrectionMatrix = ControlId(24, "ColourCorrectionMatrix", ControlType.Float)
SensorBlackLevels = ControlId(25, "SensorBlackLevels", ControlType.Integer32)


class AfModeEnum(enum.IntEnum):
    Manual = 0
    Auto = 1
    Continuous = 2


class AfMeteringEnum(enum.IntEnum):
    Auto = 0
    Windows = 1


class AfTriggerEnum(enum.IntEnum):
    Start = 0
    Cancel = 1


class AfStateEnum(enum.IntEnum):
    Idle = 0
    Scanning = 1
    Focused = 2
    Failed = 3


class draft:
    class NoiseReductionModeEnum(enum.IntEnum):
        Off = 0
        Fast = 1
        HighQuality = 2
        Minimal = 3
        ZSL = 4


def advertised(model, mode):
    """Return what may be set in this mode of the sensor, with its limits in libcamera's units."""
    whole_sensor = Rectangle(0, 0, model.full.width_px, model.full.height_px)
    shortest_exposure_us = max(1, round(mode.line_s * 1e6))
    shortest_frame_us = round(mode.frame_time_s * 1e6)
    return _of_the_motor(model, whole_sensor) | {
        AeEnable: ControlInfo(False, True, True),
        AnalogueGain: ControlInfo(*model.gain_range, 1.0),
        AnalogueGainMode: ControlInfo(0, 1, 0),
        AwbEnable: ControlInfo(False, True, True),
        ColourGains: ControlInfo(0.0, 32.0, None),
        ExposureTime: ControlInfo(shortest_exposure_us, model.longest_exposure_us, 20_000),
        ExposureTimeMode: ControlInfo(0, 1, 0),
        FrameDurationLimits: ControlInfo(shortest_frame_us, model.longest_frame_us, shortest_frame_us),
        NoiseReductionMode: ControlInfo(0, 4, 0),
        ScalerCrop: ControlInfo(Rectangle(0, 0, 64, 64), whole_sensor, whole_sensor),
    }


def _of_the_motor(model, whole_sensor):
    if model.focus_range_dioptres is None:
        return {}
    return {
        AfMode: ControlInfo(0, 2, 0),
        AfMetering: ControlInfo(0, 1, 0),
        AfTrigger: ControlInfo(0, 1, 0),
        AfWindows: ControlInfo(Rectangle(), whole_sensor, Rectangle()),
        LensPosition: ControlInfo(*model.focus_range_dioptres, 1.0),
    }
