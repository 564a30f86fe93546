"""`scannerd calibrate turntable` against tables that are built otherwise than the settings say."""

from pathlib import Path

import pytest
from mat_camera import MatCamera
from typer.testing import CliRunner

from drivers.bench.install import install_bench
from drivers.bench.pins import BenchWiring
from drivers.bench.platter import PlatterMechanics
from scannerd.config import Config
from scannerd.gearing.command import app, try_table, write_changes
from scannerd.gearing.fits import Scale, Swing
from scannerd.gearing.report import report_of
from scannerd.gearing.sight import MatUnseen
from scannerd.gearing.trial import PlatterStill, Trial
from scannerd.settings.file import parse_config, read_config
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock

SPEED = 10.0
SETTINGS = """\
# Mine.
[store]
folder = "{folder}/store"
[camera]
metering = "configured"
width_px = 800
height_px = 600
[turntable]
gear_ratio = {gear_ratio}  # as the seller said
"""


def config_at(folder: Path, gear_ratio: float = 3.0) -> tuple[Path, Config]:
    file = folder / "config.toml"
    file.write_text(SETTINGS.format(folder=folder, gear_ratio=gear_ratio))
    return file, read_config(file)


@pytest.mark.slow
@pytest.mark.parametrize(("gear_ratio", "true_steps"), [(4.5, 9600), (0.4, 8533), (30.0, 9600)])
async def test_a_table_that_turns_otherwise_the_wrong_way_and_with_play(
    tmp_path: Path, gear_ratio: float, true_steps: int
) -> None:
    file, config = config_at(tmp_path, gear_ratio)
    mechanics = PlatterMechanics(true_steps, backlash_deg=0.8, resonance_hz=6.0)
    with install_bench(MatCamera(), SPEED, BenchWiring(dir_high_turns=-1), mechanics) as bench:
        trial = await try_table(config, bench.clock)
        assert not bench.board.enabled
    assert trial.scale.true_per_commanded == pytest.approx(-config.turntable.steps_per_turn / true_steps, rel=1e-4)
    assert trial.play_deg == pytest.approx(0.8, abs=0.05)
    assert trial.axis_foot_mm == pytest.approx((-1.7, 0.9), abs=0.05)
    assert trial.camera_elevation_deg == pytest.approx(40, abs=0.2)
    assert trial.swing is not None
    assert trial.swing.frequency_hz == pytest.approx(6.0, rel=0.05)
    write_changes(file, report_of(config, trial))
    table = read_config(file).turntable
    assert table.steps_per_turn == pytest.approx(true_steps, rel=1e-4)
    assert table.invert
    assert 0.8 <= table.backlash_deg <= 1.0
    assert table.smoothing_s == pytest.approx(1 / 6, rel=0.05)
    assert file.read_text().startswith("# Mine.\n")
    assert "# as the seller said" in file.read_text()


async def test_a_platter_that_is_held_is_told_and_the_motor_let_go(tmp_path: Path) -> None:
    with install_bench(MatCamera(), 40.0) as bench:
        bench.world.jammed = True
        with pytest.raises(PlatterStill, match="did not turn evenly; is the motor's supply on"):
            await try_table(config_at(tmp_path)[1], bench.clock)
        assert not bench.board.enabled


async def test_without_the_mat_in_sight_nothing_moves(tmp_path: Path) -> None:
    pictures = MatCamera()
    pictures.covered = True
    with install_bench(pictures, 40.0) as bench:
        with pytest.raises(MatUnseen, match="0 corners seen"):
            await try_table(config_at(tmp_path)[1], bench.clock)
        assert bench.world.pulses == 0
        assert not bench.board.enabled


def test_a_running_daemon_keeps_its_table(tmp_path: Path) -> None:
    file, config = config_at(tmp_path)
    config.store.folder.mkdir()
    lock = StoreLock(StoreLayout(config.store.folder).lock)
    done = CliRunner().invoke(app, ["--config", str(file)])
    lock.close()
    assert done.exit_code == 1
    assert "in use by process" in done.stderr


def trial(share: float = 1.0, play_deg: float = 0.0, swing: Swing | None = None) -> Trial:
    return Trial(Scale(1 / share, 1e-5), play_deg, 0.01, swing, (0.4, 0.3), 30.0, 480.0, 20)


@pytest.mark.parametrize(
    ("share", "settings", "changes"),
    [
        (1.0001, "", {}),
        (2.0, "", {"microsteps": 32}),
        (0.5, "", {"microsteps": 8}),
        (4.0, "", {"gear_ratio": 12.0}),
        (2.0, "microstep_pins = [22, 25, 16]", {"gear_ratio": 6.0}),
        (-1.0, "", {"invert": True}),
        (-1.0, "invert = true", {"invert": False}),
        (1.23456, "", {"gear_ratio": 3.70368}),
        (60 / 16 / 3, "", {"gear_ratio": 3.75}),
        (1.5, 'driver = "grbl"\nunits_per_turn = 40.0', {"units_per_turn": 60.0}),
    ],
)
def test_what_is_offered(share: float, settings: str, changes: dict[str, object]) -> None:
    assert report_of(parse_config(f"[turntable]\n{settings}"), trial(share)).changes == changes


def test_play_and_swing_are_offered_where_they_matter() -> None:
    config = Config()
    assert report_of(config, trial(play_deg=0.03)).changes == {}
    assert report_of(config, trial(play_deg=0.4)).changes == {"backlash_deg": 0.5}
    assert report_of(parse_config("[turntable]\nbacklash_deg = 0.5"), trial(play_deg=0.4)).changes == {}
    assert report_of(config, trial(swing=Swing(8.0, 0.1, 0.12))).changes == {"smoothing_s": 0.125}
    assert report_of(config, trial(swing=Swing(8.0, 0.1, 0.02))).changes == {}


def test_a_mat_far_beside_the_axis_is_remarked() -> None:
    assert report_of(Config(), trial()).remarks == ()
    far = Trial(Scale(1.0, 1e-5), 0.0, 0.01, None, (9.0, 0.0), 30.0, 480.0, 20)
    assert "9 mm beside the axis" in report_of(Config(), far).remarks[0]
