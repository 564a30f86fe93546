"""The defaults of config.toml are the wiring that the drivers document."""

from drivers.options import (
    ButtonGpioOptions,
    LampGpioOptions,
    LightGpioOptions,
    Picamera2Options,
    StepperGpioOptions,
)
from drivers.options_serial import Phrase, SerialAxisOptions
from drivers.options_v4l2 import V4l2Options
from scannerd.config import ButtonSection, LedSection, LightSection
from scannerd.config_camera import CameraSection
from scannerd.config_motors import TurntableSection


def test_the_default_config_is_the_documented_wiring() -> None:
    assert TurntableSection().axis_options() == StepperGpioOptions()
    assert ButtonSection().button_options() == ButtonGpioOptions()
    assert LedSection().lamp_options() == LampGpioOptions()
    assert LightSection().light_options() == LightGpioOptions()
    assert CameraSection().camera_options() == Picamera2Options(focal_length_mm=9.0)


def test_no_focal_length_is_the_modules_own() -> None:
    assert CameraSection(lens_focal_length_mm=0).camera_options().focal_length_mm is None


def test_a_serial_table_is_told_its_own_words() -> None:
    options = TurntableSection(
        driver="serial_table", query_command=r"POS? => POS (?P<angle_deg>-?\d+\.\d+)", port="/dev/ttyUSB7", baud=9600
    ).axis_options()
    assert isinstance(options, SerialAxisOptions)
    assert (options.port, options.baud) == ("/dev/ttyUSB7", 9600)
    assert options.phrases.move == Phrase("MA {angle_deg:.2f}", "OK")
    assert options.phrases.query == Phrase("POS?", r"POS (?P<angle_deg>-?\d+\.\d+)")
    assert options.phrases.stop is None


def test_a_usb_camera_is_told_its_own_options() -> None:
    told = CameraSection(driver="v4l2", device="/dev/v4l/by-id/usb-cam").camera_options()
    assert told == V4l2Options(device="/dev/v4l/by-id/usb-cam")
    told = CameraSection(driver="v4l2", sensor_width_mm=5.6, lens_focal_length_mm=4.0).camera_options()
    assert told == V4l2Options(focal_length_mm=4.0, sensor_width_mm=5.6)
