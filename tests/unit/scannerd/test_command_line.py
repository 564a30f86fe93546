"""The command line as a person meets it: messages, exit codes, signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scan_on_bench import bench_config
from typer.testing import CliRunner

from drivers.bench.install import Bench, install_bench
from scannerd.__main__ import app
from scannerd.config import ButtonSection, Config
from scannerd.settings.text import documented_toml
from scannerd.store.history import history_of
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summary_of

REPOSITORY = Path(__file__).resolve().parents[3]


def quick(folder: Path) -> Config:
    """Settings of a table that is fast in real time: the command line runs on the system's clock."""
    config = bench_config(folder, views=3)
    turntable = config.turntable.model_copy(update={"max_speed_deg_s": 360.0, "acceleration_deg_s2": 3600.0})
    scan = config.scan.model_copy(update={"settle_s": 0.2})
    return config.model_copy(update={"turntable": turntable, "scan": scan})


def written(config: Config, folder: Path) -> str:
    file = folder / "config.toml"
    file.write_text(documented_toml(config))
    return str(file)


@pytest.fixture
def real_time_bench(pictures: object) -> object:
    with install_bench(pictures, speed=1.0) as bench:  # type: ignore[arg-type]
        yield bench


def test_scan_takes_a_scan_and_status_lists_it(real_time_bench: Bench, tmp_path: Path) -> None:
    config = written(quick(tmp_path), tmp_path)
    done = CliRunner().invoke(app, ["scan", "--name", "cup", "--config", config])
    assert done.exit_code == 0, done.output
    assert "scan cup: 3 of 3 photos to take" in done.stderr
    assert "scan cup: complete, 3 photos, 0 retakes" in done.stderr
    listed = CliRunner().invoke(app, ["status", "--config", config])
    assert listed.stdout == "cup: sealed, 3 of 3 photos\n"
    again = CliRunner().invoke(app, ["scan", "--name", "cup", "--config", config])
    assert again.exit_code == 1
    assert "scan cup: exists already" in again.stderr
    resumed = CliRunner().invoke(app, ["scan", "--resume", "cup", "--config", config])
    assert resumed.exit_code == 1
    assert "is complete; there is nothing to resume" in resumed.stderr
    assert not real_time_bench.board.enabled


def test_calibrate_background_keeps_a_photo(real_time_bench: Bench, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["calibrate", "background", "--config", written(quick(tmp_path), tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"{tmp_path}/background.jpg: stored" in done.stderr
    assert (tmp_path / "background.jpg").exists()


def test_faults_of_the_config_are_shown_at_once_with_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[scan]\nviews = 1\nsetle_s = 2\n")
    for arguments in (["check-config", str(file)], ["run", "--config", str(file)], ["status", "--config", str(file)]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"{file}, 2 problems\n  [scan] views = 1: use")


def test_check_config_prints_the_documented_defaults() -> None:
    assert CliRunner().invoke(app, ["check-config", "--defaults"]).stdout == documented_toml()


def test_mat_writes_a_pdf_or_says_why_not(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["mat", "--paper", "a4", "--out", str(tmp_path / "mat.pdf")])
    assert done.exit_code == 0
    assert (tmp_path / "mat.pdf").read_bytes().startswith(b"%PDF")
    failed = CliRunner().invoke(app, ["mat", "--paper", "A4", "--out", str(tmp_path / "absent" / "mat.pdf")])
    assert failed.exit_code == 1
    assert "cannot be written: No such file or directory" in failed.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_between_frames_and_the_scan_can_be_resumed(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = REPOSITORY / "tests" / "support" / "scan_on_bench.py"
    command = [sys.executable, str(program), str(tmp_path), "cup", "--until-signal"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        child.send_signal(number)
        rest = child.stdout.read()
        assert child.wait(timeout=60) == 1, "an unfinished scan is not a success"
    assert rest.endswith("motor released\n")
    store = ScanStore(StoreLayout(tmp_path))
    assert summary_of(store, "cup").state is ScanState.UNFINISHED
    lines, good_bytes = replay(store.layout.scan("cup").journal)
    assert good_bytes == store.layout.scan("cup").journal.stat().st_size, "the journal ends with a whole line"
    assert 1 <= len(history_of(lines).frames) < 200


def test_a_scan_of_two_heights_from_the_command_line(real_time_bench: Bench, tmp_path: Path) -> None:
    config = quick(tmp_path).model_copy(update={"button": ButtonSection(driver="none")})
    rings = ["--ring-views", "3", "--ring-views", "4", "--ring-elevation-deg", "20", "--ring-elevation-deg", "50"]
    done = CliRunner().invoke(app, ["scan", "--name", "cup", *rings, "--config", written(config, tmp_path)])
    assert done.exit_code == 0, done.output
    assert "move the camera to about 50° above the platter" in done.stderr
    assert "scan cup: complete, 7 photos" in done.stderr
    both = CliRunner().invoke(app, ["scan", "--resume", "cup", "--sides", "2"])
    assert both.exit_code == 2
    assert "--resume goes on with the scan's own plan" in both.stderr


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_overview_says_what_the_command_line_says_and_loads_none_of_it(arguments: list[str]) -> None:
    said = CliRunner().invoke(app, arguments, prog_name="scannerd")
    program = f"""
import atexit, sys
from scannerd import entry
heavy = ("numpy", "cv2", "pydantic", "httpx", "asyncio", "scannerd.config", "scannerd.app", "scannerd.__main__")
atexit.register(lambda: print([name for name in heavy if name in sys.modules], file=sys.stderr))
sys.argv[1:] = {arguments}
entry.main()
"""
    quick = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert quick.stderr == "[]\n"
    assert quick.stdout == said.stdout
    assert quick.returncode == said.exit_code
