"""`scannerd jog` and `scannerd home` judged by where the platter truly stands; alone, and through a daemon."""

import asyncio
from pathlib import Path

import pytest
import scan_on_bench
from rest_on_bench import serving
from typer.testing import CliRunner

from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from drivers.protocols import NeedsPerson
from scannerd.__main__ import app
from scannerd.control.terminal.motion import BETWEEN_DEG, Found, alone_with_table, repeatability
from scannerd.settings.file import read_config
from scannerd.settings.text import documented_toml
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock

SPEED = 40.0


@pytest.fixture
def with_index() -> object:
    with install_bench(scan_on_bench.OverheadCamera(), 1.0, BenchWiring(index_pin=26)) as bench:
        yield bench


def settings(folder: Path, **turntable: object) -> str:
    config = scan_on_bench.bench_config(folder / "store")
    quick = {"max_speed_deg_s": 360.0, "acceleration_deg_s2": 3600.0, **turntable}
    web = config.web.model_copy(update={"socket": folder / "none.sock"})
    config = config.model_copy(update={"turntable": config.turntable.model_copy(update=quick), "web": web})
    file = folder / "config.toml"
    file.write_text(documented_toml(config))
    return str(file)


def test_jog_turns_the_platter_and_lets_go(with_index: Bench, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["jog", "-12.5", "--config", settings(tmp_path)])
    assert done.exit_code == 0, done.output
    assert with_index.world.platter.settled_angle_deg == pytest.approx(-12.5, abs=with_index.step_deg)
    assert not with_index.board.enabled
    far = CliRunner().invoke(app, ["jog", "400", "--config", settings(tmp_path)])
    assert far.exit_code == 2


def homed(bench: Bench, file: str, times: int) -> list[Found]:
    """Home as the command does, on the bench's fast clock."""
    with alone_with_table(read_config(Path(file)), bench.clock) as table:
        found = [table.home()]
        for _ in range(times - 1):
            table.jog(BETWEEN_DEG)
            found.append(table.home())
    return found


def test_home_again_and_again_tells_how_well_the_index_is_found(tmp_path: Path) -> None:
    file = settings(tmp_path, index="active_low")
    with install_bench(scan_on_bench.OverheadCamera(), SPEED, BenchWiring(index_pin=26)) as bench:
        found = homed(bench, file, times=3)
        # The flag's edge, met from below.
        assert bench.world.platter.settled_angle_deg % 360 == pytest.approx(137.0, abs=2 * bench.step_deg)
        assert not bench.board.enabled
        assert [one.found_by for one in found] == ["index"] * 3
        assert found[0].off_deg is None
        assert all(abs(one.off_deg or 0.0) <= bench.step_deg for one in found)


def test_without_an_index_there_is_nothing_to_find_again(with_index: Bench, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["home", "--repeat", "3", "--config", settings(tmp_path)])
    assert done.exit_code == 1
    assert "where it stands is 0° now" in done.stdout
    assert 'index = "none"' in done.stderr


def test_an_index_that_is_not_wired_is_told(tmp_path: Path) -> None:
    with install_bench(scan_on_bench.OverheadCamera(), SPEED) as bench:
        with pytest.raises(NeedsPerson, match="not met in a whole turn"):
            homed(bench, settings(tmp_path, index="active_low"), times=1)
        assert not bench.board.enabled


def test_a_daemon_without_a_socket_keeps_its_motor(with_index: Bench, tmp_path: Path) -> None:
    file = settings(tmp_path)
    (tmp_path / "store").mkdir()
    held = StoreLock(StoreLayout(tmp_path / "store").lock)
    done = CliRunner().invoke(app, ["jog", "5", "--config", file])
    held.close()
    assert done.exit_code == 1
    assert "in use by process" in done.stderr
    assert with_index.world.pulses == 0


async def test_a_daemon_that_runs_turns_the_platter_itself(bench: Bench, tmp_path: Path) -> None:
    async with serving(bench, tmp_path / "store", tmp_path / "web.sock")() as served:
        file = str(served.config_file)
        turned = await asyncio.to_thread(CliRunner().invoke, app, ["jog", "30", "--config", file])
        assert turned.exit_code == 0, turned.output
        assert bench.world.platter.settled_angle_deg == pytest.approx(30, abs=bench.step_deg)
        homed = await asyncio.to_thread(CliRunner().invoke, app, ["home", "--config", file])
        assert homed.stdout == "home: where it stands is 0° now (no index sensor)\n"
        assert served.daemon.hardware.axis.angle_deg == 0
        assert served.daemon.board.state().homing is not None


def test_places_are_added_up() -> None:
    told = repeatability([0.0375, -0.0375, 0.0375], step_deg=0.0375)
    assert told.startswith("found 4 times within 0.0375° (1.0 steps), standard deviation 0.0187° (0.5 steps")
