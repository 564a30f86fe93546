"""`systemctl stop` in every phase: a real process, real signals, and the truth of the motor's ENABLE line."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore, journaled_frames
from scannerd.store.summary import ScanState, summary_of

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STOP_S = 5.0
"""What is promised from the signal to the end of the process."""
SETTINGS = """
[store]
folder = "{folder}"
reserve_mb = 0
[turntable]
max_speed_deg_s = 200
acceleration_deg_s2 = 800
[camera]
width_px = 640
height_px = 480
[scan]
views = 3
settle_s = 0.3
[mat]
columns = 7
rows = 7
[web]
enabled = false
"""


@dataclass
class Ended:
    code: int
    said: list[str]
    log: str
    took_s: float
    """From the first signal."""

    @property
    def motor_is_off(self) -> bool:
        return [line for line in self.said if line.startswith("enable")][-1].startswith("enable 1")


def run(folder: Path, *options: str) -> Ended:
    config = folder / "config.toml"
    config.write_text(SETTINGS.format(folder=folder / "store"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    command = [sys.executable, str(HERE / "serve_on_bench.py"), str(config), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    ended_s = time.monotonic()
    signalled = [line for line in done.stdout.splitlines() if line.startswith("signal")]
    assert signalled, f"never came so far:\n{done.stdout}{done.stderr}"
    return Ended(done.returncode, done.stdout.splitlines(), done.stderr, ended_s - float(signalled[0].split()[1]))


def stored_frames(folder: Path) -> set[int]:
    store = StoreLayout(folder / "store")
    lines, _ = replay(store.scan("cup").journal)
    return set(journaled_frames(lines))


@pytest.mark.parametrize("phase", ["preparing", "moving", "settling", "capturing", "judging", "storing", "paused"])
def test_a_stop_in_any_phase_parks_the_motor_and_keeps_the_journal(tmp_path: Path, phase: str) -> None:
    ended = run(tmp_path, "--at", phase, "--then", "SIGTERM")
    assert ended.code == 0, ended.log
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert summary_of(ScanStore(StoreLayout(tmp_path / "store")), "cup").state is ScanState.UNFINISHED
    assert stored_frames(tmp_path) == {"preparing": set(), "paused": set()}.get(phase, {0, 1})


def test_a_stop_while_sealing_leaves_a_bundle(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "sealing", "--then", "SIGTERM")
    assert (ended.code, ended.motor_is_off) == (0, True)
    assert summary_of(ScanStore(StoreLayout(tmp_path / "store")), "cup").state is ScanState.SEALED


@pytest.mark.parametrize(("work", "phase"), [("jog", "jogging"), ("background", "background")])
def test_a_stop_of_other_work(tmp_path: Path, work: str, phase: str) -> None:
    ended = run(tmp_path, "--work", work, "--at", phase, "--then", "SIGTERM")
    assert ended.code == 0, ended.log
    assert ended.took_s < STOP_S
    assert ended.motor_is_off


def test_a_camera_that_hangs_is_abandoned_and_said(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "capturing", "--hang", "camera", "--then", "SIGTERM")
    assert ended.code == 1
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert "capturing is not over after 2 s and is abandoned" in ended.log
    assert "ended by force: camera: not closed after 1 s" in ended.log
    assert stored_frames(tmp_path) == {0}


def test_a_disk_that_hangs_is_abandoned_and_said(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "storing", "--hang", "disk", "--then", "SIGTERM")
    assert ended.code == 1
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert "ended by force: scan cup: storing did not end; every photo before it is kept" in ended.log
    assert stored_frames(tmp_path) == {0}


def test_an_event_loop_that_hangs_is_cut_off(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "moving", "--hang", "loop", "--then", "SIGTERM")
    assert ended.code == 1
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert "ended by force: scan cup is moving did not end in time after the signal" in ended.log


def test_a_second_signal_is_faster(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "storing", "--hang", "disk", "--then", "SIGTERM,SIGINT")
    assert ended.code == 1
    assert ended.took_s < STOP_S / 2
    assert ended.motor_is_off
    assert "SIGINT again: nothing is finished any more" in ended.log
