"""What lets the motors go after a kill, when pins keep their last level."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import scan_on_bench

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring, LiftWiring
from scannerd.config import LiftSection
from scannerd.hardware import build_device
from scannerd.park import switch_off

UNIT = Path(__file__).resolve().parents[3] / "systemd" / "scannerd.service"


def kill(bench: Bench) -> None:
    """Leave the pins as the kernel may after SIGKILL: nobody has them, and each wire keeps its level."""
    bench.pins.reset()


async def test_motors_that_a_killed_daemon_left_on_are_switched_off(tmp_path: Path) -> None:
    config = scan_on_bench.bench_config(tmp_path).model_copy(update={"lift": LiftSection(driver="stepper_gpio")})
    wiring = BenchWiring(lift=LiftWiring())
    with install_bench(scan_on_bench.OverheadCamera(), scan_on_bench.SPEED, wiring) as bench:
        motors = [build_device(section, config, bench.clock) for section in ("turntable", "lift")]
        for motor in motors:
            await motor.believe(20.0)
        kill(bench)
        assert bench.lift_board is not None
        assert bench.board.enabled
        assert bench.lift_board.enabled
        await switch_off(config)
        assert not bench.board.enabled
        assert not bench.lift_board.enabled
        for motor in motors:
            await motor.close()


@pytest.mark.parametrize(("result", "parks"), [("success", False), ("signal", True), ("watchdog", True)])
def test_systemd_parks_the_motors_after_whatever_was_no_orderly_end(tmp_path: Path, result: str, parks: bool) -> None:
    (line,) = re.findall(r"^ExecStopPost=-/bin/sh -c '(.*)'$", UNIT.read_text(), re.MULTILINE)
    called = tmp_path / "called"
    program = tmp_path / "scannerd"
    program.write_text(f'#!/bin/sh\necho "$@" > {called}\n')
    program.chmod(0o755)
    command = line.replace("$$", "$").replace("/opt/scannerd/bin/scannerd", str(program))
    environment = {"SERVICE_RESULT": result, "PATH": "/usr/bin:/bin"}
    subprocess.run(["/bin/sh", "-c", command], env=environment, check=False, timeout=60)
    assert called.exists() == parks
    if parks:
        assert called.read_text().split() == ["park", "--config", "/etc/scannerd/config.toml"]


def test_nothing_of_the_daemon_is_loaded_to_switch_the_motors_off() -> None:
    program = "import sys, scannerd.park; print(*sorted({'cv2', 'numpy', 'scannerd.app'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
