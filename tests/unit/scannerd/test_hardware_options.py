"""The defaults of config.toml are the wiring that the drivers document."""

from drivers.options import (
    ButtonGpioOptions,
    LampGpioOptions,
    LightGpioOptions,
    Picamera2Options,
    StepperGpioOptions,
)
from scannerd.config import ButtonSection, CameraSection, LedSection, LightSection
from scannerd.config_motors import TurntableSection


def test_the_default_config_is_the_documented_wiring() -> None:
    assert TurntableSection().axis_options() == StepperGpioOptions()
    assert ButtonSection().button_options() == ButtonGpioOptions()
    assert LedSection().lamp_options() == LampGpioOptions()
    assert LightSection().light_options() == LightGpioOptions()
    assert CameraSection().camera_options() == Picamera2Options(focal_length_mm=9.0)


def test_no_focal_length_is_the_modules_own() -> None:
    assert CameraSection(lens_focal_length_mm=0).camera_options().focal_length_mm is None
