"""Reading a machine's files, from folders like a Pi's and a laptop's."""

from pathlib import Path

import pytest

from scannerd.process.vitals import (
    Throttling,
    flags_of,
    process_age_s,
    read_temperature_c,
    read_throttling,
    read_vitals,
)


def a_pi(folder: Path, throttled: str) -> Path:
    zone = folder / "class/thermal/thermal_zone0"
    firmware = folder / "devices/platform/soc/soc:firmware"
    zone.mkdir(parents=True)
    firmware.mkdir(parents=True)
    (zone / "temp").write_text("61835\n")
    (firmware / "get_throttled").write_text(throttled + "\n")
    return folder


def test_a_pi_tells_all(tmp_path: Path) -> None:
    vitals = read_vitals(a_pi(tmp_path, "50005"))
    assert vitals.temperature_c == pytest.approx(61.835)
    assert vitals.throttling == Throttling(under_voltage=True, slowed=True, under_voltage_before=True)
    assert vitals.memory_mb > 1


def test_the_hottest_zone_counts_and_those_without_a_sensor_do_not(tmp_path: Path) -> None:
    for number, reading in enumerate(["0", "48000", "-274000", "71500", "?"]):
        zone = tmp_path / f"class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(reading)
    assert read_temperature_c(tmp_path) == 71.5


def test_a_laptop_tells_less(tmp_path: Path) -> None:
    assert read_temperature_c(tmp_path) is None
    assert read_throttling(tmp_path) is None


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x0, Throttling(False, False, False)),
        (0x1, Throttling(True, False, False)),
        (0x50000, Throttling(False, False, True)),
        (0x8, Throttling(False, True, False)),
    ],
)
def test_the_firmwares_bits(flags: int, expected: Throttling) -> None:
    assert flags_of(flags) == expected


def test_this_process_began_a_while_ago() -> None:
    assert 0 < process_age_s() < 24 * 3600
