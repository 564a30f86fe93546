"""`pytest --hardware` where there is none: what each test would need, and what is missing, before anything runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import real_hardware

from scannerd.settings.file import parse_config

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--hardware",
        "tests/drivers/test_devices.py",
    ]
    # What the run around this one was asked for is not asked of this one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def test_collecting_says_what_each_test_would_need() -> None:
    done = pytest_run("--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    needs = [line.partition(": needs ")[2] for line in done.stdout.splitlines() if ": needs " in line]
    named = {name for line in needs for name in line.split(", ")}
    everything = {"turntable", "lift", "camera", "light", "led", "button", "emergency_stop", "buzzer", "person"}
    assert named == everything
    assert done.stdout.count("::test_") >= 2 * len(needs), "and each is listed"


def test_what_is_missing_is_said_before_anything_runs(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[turntable]\ndriver = "grbl"\nport = "/dev/no-such-table"\n')
    done = pytest_run("--hardware-config", str(file))
    told = done.stdout + done.stderr
    assert done.returncode == real_hardware.MISSING, told
    assert "run it in a terminal" in told
    assert '[turntable] driver = "grbl": there is no /dev/no-such-table' in told
    assert "docs/wiring.md" in told
    assert "passed" not in told


def test_no_settings_are_said_too(tmp_path: Path) -> None:
    done = pytest_run("--hardware-config", str(tmp_path / "none.toml"))
    assert done.returncode == real_hardware.MISSING
    assert "none.toml" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("", "turntable", "gpiochip"),
        ("", "button", "gpiochip"),
        ('[light]\ndriver = "ws2812"\ndevice = "/dev/no-bus"\n', "light", "do_spi"),
        ('[camera]\ndriver = "v4l2"\n', "camera", "plug the camera in"),
        ('[lift]\ndriver = "none"\n', "lift", None),
    ],
)
def test_each_device_says_what_it_lacks(tmp_path: Path, text: str, name: str, says: str | None) -> None:
    missing = real_hardware.missing_device(parse_config(text), name, dev=tmp_path)
    assert (missing is None) if says is None else (missing is not None and says in missing)
