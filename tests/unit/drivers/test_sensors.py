import pytest

from drivers.sensors import SENSORS, sensor_facts


@pytest.mark.parametrize(
    ("name", "width_mm", "focal_length_mm"),
    [("imx477", 6.287, None), ("imx708", 6.45, 4.74), ("imx219", 3.67, 3.04), ("ov5647", 3.63, 3.60)],
)
def test_official_modules_are_known(name: str, width_mm: float, focal_length_mm: float | None) -> None:
    facts = sensor_facts(name)
    assert facts is not None
    assert facts.sensor_width_mm == pytest.approx(width_mm, abs=0.01)
    assert facts.focal_length_mm == focal_length_mm


def test_a_module_without_infrared_filter_is_the_same_camera() -> None:
    assert sensor_facts("imx708_wide_noir") is SENSORS["imx708_wide"]


def test_an_unknown_sensor_is_none() -> None:
    assert sensor_facts("ov9281") is None
