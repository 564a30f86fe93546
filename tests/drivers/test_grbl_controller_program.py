"""The GRBL controller as a program of its own, at the far end of a pseudo-terminal, with nothing of the bench."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.clock import SystemClock
from drivers.options_serial import SerialAxisOptions
from drivers.stepper_serial import GrblAxis


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


@pytest.fixture
def port(truth: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "drivers.bench.grbl_controller", "--pty", "--axis", "A", "--truth", str(truth)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        yield program.stdout.readline().strip()
        program.terminate()


def lines_of(truth: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in truth.read_text().splitlines()]


async def test_it_turns_what_the_driver_tells_it_to(port: str, truth: Path) -> None:
    options = SerialAxisOptions(port=port, letter="A", max_speed_deg_s=300, acceleration_deg_s2=3000)
    axis = GrblAxis(options, SystemClock())
    await axis.home()
    assert await axis.move_to(30) == pytest.approx(30, abs=axis.step_deg)
    await axis.close()
    told = lines_of(truth)
    assert any(line["enabled"] and line["steps"] == 2400 for line in told), told
    assert not told[-1]["enabled"]
