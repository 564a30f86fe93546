import pytest

from drivers.sensors import SENSORS, sensor_facts


@pytest.mark.parametrize(
    ("name", "make", "width_mm", "focal_length_mm"),
    [
        ("ov5647", "Raspberry Pi", 3.63, 3.60), ("imx219", "Raspberry Pi", 3.67, 3.04),
        ("imx708", "Raspberry Pi", 6.45, 4.74), ("imx708_wide", "Raspberry Pi", 6.45, 2.75),
        ("imx477", "Raspberry Pi", 6.287, None), ("imx296", "Raspberry Pi", 5.02, None),
        ("imx500", "Raspberry Pi", 6.287, 4.74), ("imx519", "Arducam", 5.68, 4.28),
        ("arducam_64mp", "Arducam", 7.32, 5.10),
    ],
)  # fmt: skip
def test_modules_are_known(name: str, make: str, width_mm: float, focal_length_mm: float | None) -> None:
    facts = sensor_facts(name)
    assert facts is not None
    assert facts.make == make
    assert facts.sensor_width_mm == pytest.approx(width_mm, abs=0.01)
    assert facts.focal_length_mm == focal_length_mm
    assert name.removesuffix("_wide") in facts.model


def test_a_module_without_infrared_filter_is_the_same_camera() -> None:
    assert sensor_facts("imx708_wide_noir") is SENSORS["imx708_wide"]


def test_an_unknown_sensor_is_none() -> None:
    assert sensor_facts("ov9281") is None
