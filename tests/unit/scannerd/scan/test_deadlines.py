"""Every phase has a deadline that no healthy device misses and no dead one escapes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scan_on_bench import bench_config

from drivers.bench.install import Bench
from scannerd.config import Config, ScanSection
from scannerd.hardware import Hardware, build_hardware
from scannerd.scan.deadlines import Deadlines
from scannerd.scan.phases import Phase


@pytest.fixture
async def hardware(bench: Bench, tmp_path: Path) -> Iterator[Hardware]:
    hardware = build_hardware(bench_config(tmp_path), bench.clock)
    await hardware.camera.open()
    yield hardware
    await hardware.camera.close()
    await hardware.axis.close()
    hardware.button.close()
    hardware.lamp.close()


def deadlines(config: Config, hardware: Hardware) -> Deadlines:
    return Deadlines(config, hardware.axis, hardware.cameras)


async def test_only_what_waits_for_people_may_last_for_ever(hardware: Hardware) -> None:
    found = {phase: deadlines(Config(), hardware).of(phase) for phase in Phase}
    assert {phase for phase, seconds in found.items() if seconds is None} == {Phase.IDLE, Phase.PAUSED}
    assert all(6 < seconds < 120 for seconds in found.values() if seconds is not None)


async def test_physics_moves_the_deadlines(hardware: Hardware) -> None:
    usual = deadlines(Config(), hardware)
    patient = deadlines(Config(scan=ScanSection(settle_s=10.0, max_retakes=4)), hardware)
    # Each attempt settles longer: the fifth one 50 s.
    assert patient.of(Phase.SETTLING) > 50 > usual.of(Phase.SETTLING)
    slow = Config().model_copy(update={"camera": Config().camera.model_copy(update={"exposure_us": 2_000_000})})
    # The driver itself waits for four frames and three seconds, starts the camera anew, and waits again.
    assert deadlines(slow, hardware).of(Phase.CAPTURING) > 2 * 11 + 5 > usual.of(Phase.CAPTURING)


async def test_a_move_has_twice_the_time_that_its_profile_needs(hardware: Hardware) -> None:
    assert deadlines(Config(), hardware).of(Phase.MOVING) > 2 * hardware.axis.move_time_s(0, 360)
