"""Settings and weights that ask too much of the motor lose steps: what a whole scan makes of it.

That the usual ones lose none is `test_rotor.py`'s, whose pulses come in time whatever else the machine does.
"""

from pathlib import Path

import pytest
from scan_on_bench import bench_config, running
from true_angles import SigningCamera, faults_in_angles

from drivers.bench.install import install_bench
from drivers.bench.supply import SimulatedSupply
from scannerd.commands import StartScan
from scannerd.demo.accidents import Accidents, Then
from scannerd.demo.faults import Disk, Surroundings, faults_named
from scannerd.demo.options import DemoOptions
from scannerd.demo.setting import EVEN_PULSES_SPEED, demo_config, demo_mechanics
from scannerd.events import ScanEnded
from scannerd.store.layout import StoreLayout

VIEWS = 8
FOUR_FULL_STEPS = 64


@pytest.mark.parametrize("fault", ["hasty-profile", "heavy-object"])
async def test_torque_loses_steps_the_mat_shows_them_and_no_photo_counts_at_a_wrong_angle(
    tmp_path: Path, fault: str
) -> None:
    options = DemoOptions(tmp_path, speed=EVEN_PULSES_SPEED, faults=(fault,))
    config = bench_config(tmp_path, views=VIEWS, more="max_cut_off_fraction = 1.0")
    updated = {"scan": config.scan.model_copy(update={"propose": False}), "turntable": demo_config(options).turntable}
    config = config.model_copy(update=updated)
    accidents = Accidents(faults_named(options.faults), VIEWS, seed=0)
    with install_bench(SigningCamera(), options.speed, mechanics=demo_mechanics(options)) as bench:
        accidents.begin(Surroundings(bench, SimulatedSupply(tmp_path / "sysfs"), Disk()))
        async with running(config, bench) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            async for event in events:
                then = await accidents.take(event, daemon)
                if isinstance(event, ScanEnded) and then is not Then.REVIVED:
                    break
        lost = bench.world.pulses_lost
    assert lost > 0
    assert lost % FOUR_FULL_STEPS == 0
    assert any("platter" in line or "turntable" in line for line in accidents.met[0].daemon), accidents.met
    assert not faults_in_angles(StoreLayout(tmp_path).scan("cup"))
