"""Words of Canon's, Nikon's, Sony's and Fujifilm's settings, as libgphoto2's lists of configurations have them."""

import pytest

from drivers.gphoto2_choices import bounds, file_format, gain, nearest, percent, seconds, white_balance


@pytest.mark.parametrize(
    ("word", "exposure_s"),
    [("1/125", 0.008), ("0.0080s", 0.008), ("30", 30.0), ("0.3", 0.3), ("10/16", 0.625), ('0"8', 0.8), ('1"', 1.0),
     ("bulb", None), ("Time", None), ("Auto", None), ("1/0", None)],
)  # fmt: skip
def test_shutter_speeds(word: str, exposure_s: float | None) -> None:
    assert seconds(word) == (exposure_s if exposure_s is None else pytest.approx(exposure_s))


def test_iso_values_and_batteries() -> None:
    assert [gain(word) for word in ("100", "ISO 3200", "Auto", "Auto ISO", "0")] == [1.0, 32.0, None, None, None]
    assert [percent(word) for word in ("80%", "Low", "Unknown value 0004", "")] == [80.0, 1.0, None, None]


def test_the_nearest_is_so_by_ratio() -> None:
    speeds = ["bulb", "1", "1/2", "1/4", "1/1000"]
    assert nearest(speeds, 0.36, seconds) == "1/2"
    assert nearest(speeds, 0.34, seconds) == "1/4"
    assert nearest(["bulb"], 0.3, seconds) is None
    assert bounds(speeds, seconds) == (0.001, 1.0)
    assert bounds([], seconds) is None


CANON = [
    "Large Fine JPEG",
    "Large Normal JPEG",
    "Small JPEG",
    "RAW + Large Fine JPEG",
    "cRAW + Large Fine JPEG",
    "RAW",
]
NIKON = ["JPEG Basic", "JPEG Normal", "JPEG Fine", "NEF (Raw)", "NEF+Basic", "NEF+Fine"]
SONY = ["Standard", "Fine", "Extra Fine", "RAW", "RAW+JPEG"]


@pytest.mark.parametrize(
    ("choices", "now", "jpeg", "both"),
    [
        (CANON, "RAW", "Large Fine JPEG", "RAW + Large Fine JPEG"),
        (CANON, "Large Normal JPEG", "Large Normal JPEG", "RAW + Large Fine JPEG"),
        (NIKON, "NEF (Raw)", "JPEG Fine", "NEF+Fine"),
        (SONY, "RAW", "Extra Fine", "RAW+JPEG"),
        ([], "", None, None),
    ],
)
def test_files_are_jpegs_and_the_raw_beside_them_on_request(
    choices: list[str], now: str, jpeg: str | None, both: str | None
) -> None:
    assert file_format(choices, now, keeps_raw=False) == jpeg
    assert file_format(choices, now, keeps_raw=True) == both


def test_white_balance_is_one_that_stays() -> None:
    assert white_balance(["Auto", "AWB White", "Shadow", "Daylight"], "Auto") == "Daylight"
    assert white_balance(["Automatic", "Cloudy"], "Automatic") == "Cloudy"
    assert white_balance(["Auto", "Tungsten"], "Tungsten") == "Tungsten"
    assert white_balance(["Auto"], "Auto") is None
