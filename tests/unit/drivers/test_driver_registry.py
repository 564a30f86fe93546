import sys

import pytest

from drivers import registry
from drivers.options import StepperGpioOptions


def test_a_name_becomes_a_class() -> None:
    assert registry.axis_driver("stepper_gpio").__name__ == "StepperGpio"
    assert registry.button_driver("gpio").__name__ == "GpioButton"
    assert registry.lamp_driver("gpio").__name__ == "GpioLamp"
    assert registry.light_driver("gpio").__name__ == "GpioLight"


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(
        registry.UnknownDriver, match=r"camera driver 'picamera': unknown; did you mean 'picamera2'\?"
    ):
        registry.camera_driver("picamera")


def test_a_name_far_from_all_gets_the_list() -> None:
    with pytest.raises(
        registry.UnknownDriver, match=r"axis driver 'x': unknown; use one of grbl, marlin, serial_table, stepper_gpio"
    ):
        registry.axis_driver("x")


def test_a_missing_library_comes_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [name for name in sys.modules if name.partition(".")[0] in ("picamera2", "libcamera")]
    for name in [*loaded, *(name for name in sys.modules if name.startswith("drivers.camera_"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if "bench" not in entry])
    monkeypatch.setattr("sys.meta_path", [_Without("libcamera"), *sys.meta_path])
    with pytest.raises(registry.MissingLibrary, match=r"needs libcamera, .*; sudo apt install python3-libcamera"):
        registry.camera_driver("picamera2")


class _Without:
    """A machine on which a library is not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_the_default_table_has_9600_steps_a_turn() -> None:
    assert StepperGpioOptions().step_deg == pytest.approx(360 / 9600)
