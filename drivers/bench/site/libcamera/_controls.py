"""The controls and the metadata of an imx477 without a focus motor, as libcamera names them."""

import enum

from drivers.bench.sensor import GAIN_RANGE, LONGEST_EXPOSURE_US, LONGEST_FRAME_US, MODES
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


class AfModeEnum(enum.IntEnum):
    Manual = 0
    Auto = 1
    Continuous = 2


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


def advertised(mode):
    """Return what may be set in this mode of the sensor, with its limits in libcamera's units."""
    full = max(MODES, key=lambda candidate: candidate.width_px)
    whole_sensor = Rectangle(0, 0, full.width_px, full.height_px)
    shortest_exposure_us = max(1, round(mode.line_s * 1e6))
    shortest_frame_us = round(mode.frame_time_s * 1e6)
    return {
        AeEnable: ControlInfo(False, True, True),
        AnalogueGain: ControlInfo(*GAIN_RANGE, 1.0),
        AnalogueGainMode: ControlInfo(0, 1, 0),
        AwbEnable: ControlInfo(False, True, True),
        ColourGains: ControlInfo(0.0, 32.0, None),
        ExposureTime: ControlInfo(shortest_exposure_us, LONGEST_EXPOSURE_US, 20_000),
        ExposureTimeMode: ControlInfo(0, 1, 0),
        FrameDurationLimits: ControlInfo(shortest_frame_us, LONGEST_FRAME_US, shortest_frame_us),
        NoiseReductionMode: ControlInfo(0, 4, 0),
        ScalerCrop: ControlInfo(Rectangle(0, 0, 64, 64), whole_sensor, whole_sensor),
    }
