from dataclasses import replace
from typing import Any

import pytest

from drivers.camera_controls import check_bounds, in_words, manual_controls, pace_controls, shown_settings, shows
from drivers.protocols import CameraSettings, CameraUnusable

SETTINGS = CameraSettings(20_000.0, 2.0, (2.1, 1.9), None)
LIMITS = {"ExposureTime": (16, 1_000_000, 20_000), "AnalogueGain": (1.12, 16.0, 1.12)}
MOTOR = LIMITS | {"LensPosition": (0.0, 15.0, 1.0)}


def metadata(**changes: Any) -> dict[str, Any]:
    return {"ExposureTime": 19_998, "AnalogueGain": 2.0, "ColourGains": (2.1, 1.9), "LensPosition": 2.5} | changes


def test_nothing_is_left_to_the_automatics() -> None:
    controls = manual_controls(SETTINGS)
    assert (controls["AeEnable"], controls["AwbEnable"]) == (False, False)
    assert "LensPosition" not in controls
    focused = manual_controls(replace(SETTINGS, focus_dioptres=2.5))
    assert (focused["AfMode"], focused["LensPosition"]) == (0, 2.5)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, True),
        ({"ExposureTime": 19_000}, False),
        ({"AnalogueGain": 2.2}, False),
        ({"ColourGains": (2.1, 1.7)}, False),
        ({"LensPosition": 2.7}, False),
    ],
)
def test_a_frame_shows_a_lock_only_when_all_of_it_is_there(change: dict[str, Any], shown: bool) -> None:
    wanted = replace(SETTINGS, focus_dioptres=2.5)
    assert shows(shown_settings(metadata(**change), focus_motor=True), wanted) is shown


def test_a_short_exposure_is_seen_to_the_line() -> None:
    seen = shown_settings(metadata(ExposureTime=162), focus_motor=False)
    assert shows(seen, replace(SETTINGS, exposure_us=190.0))
    assert not shows(seen, replace(SETTINGS, exposure_us=324.0))


def test_without_a_motor_focus_is_nobodys_business() -> None:
    seen = shown_settings(metadata(), focus_motor=False)
    assert seen.focus_dioptres is None
    assert shows(seen, SETTINGS)
    assert not shows(seen, replace(SETTINGS, focus_dioptres=2.5))


def test_what_the_sensor_cannot_do_is_refused_and_a_gain_too_low_raised() -> None:
    assert check_bounds(replace(SETTINGS, analogue_gain=1.0), LIMITS, "imx708").analogue_gain == 1.12
    assert check_bounds(replace(SETTINGS, focus_dioptres=3.0), MOTOR, "imx708").focus_dioptres == 3.0
    for impossible, says in (
        (replace(SETTINGS, exposure_us=2e6), "ExposureTime 2000000 µs is outside 16 to 1000000"),
        (replace(SETTINGS, analogue_gain=20.0), "AnalogueGain 20.0 is outside"),
        (replace(SETTINGS, focus_dioptres=3.0), "no focus motor"),
    ):
        with pytest.raises(CameraUnusable, match=rf"imx708: .*{says}"):
            check_bounds(impossible, LIMITS, "imx708")
    with pytest.raises(CameraUnusable, match=r"LensPosition 20\.0 dioptres is outside 0\.0 to 15\.0"):
        check_bounds(replace(SETTINGS, focus_dioptres=20.0), MOTOR, "imx708")


def test_people_are_told_numbers_with_units() -> None:
    assert in_words(SETTINGS) == "exposure 20000 µs, gain 2.00, red 2.10, blue 1.90"
    assert in_words(replace(SETTINGS, focus_dioptres=2.5)).endswith("blue 1.90, focus 2.50 dioptres")


def test_a_pace_bounds_from_below_only() -> None:
    shortest_us, longest_us = pace_controls(0.25)["FrameDurationLimits"]
    assert (shortest_us, longest_us) == (250_000, 1_000_000_000)
    assert pace_controls(None)["FrameDurationLimits"][0] < 1000
