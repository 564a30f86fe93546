"""`systemctl stop` in every phase: a real process, real signals, and the truth of the motor's ENABLE line."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench_settings import SMALL_MAT, bench_settings

from scannerd.store.history import history_of
from scannerd.store.journal import replay
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summary_of

ROOT = Path(__file__).resolve().parents[4]
SUPPORT = ROOT / "tests" / "support"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(SUPPORT)])}
STOP_S = 5.0
"""What is promised from the signal to the end of the process."""


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


def settings(folder: Path, **sections: Mapping[str, Any]) -> str:
    return bench_settings(
        folder / "store",
        turntable={"max_speed_deg_s": 200, "acceleration_deg_s2": 800},
        scan={"views": 3, "settle_s": 0.3},
        mat=SMALL_MAT,
        **{"web": {"enabled": False}, **sections},
    )


def run(folder: Path, *options: str, **camera: Any) -> Ended:
    config = folder / "config.toml"
    config.write_text(settings(folder, camera=camera))
    command = [sys.executable, str(SUPPORT / "serve_on_bench.py"), str(config), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    ended_s = time.monotonic()
    signalled = [line for line in done.stdout.splitlines() if line.startswith("signal")]
    assert signalled, f"never came so far:\n{done.stdout}{done.stderr}"
    return Ended(done.returncode, done.stdout.splitlines(), done.stderr, ended_s - float(signalled[0].split()[1]))


def stored_frames(folder: Path) -> set[int]:
    store = StoreLayout(folder / "store")
    lines, _ = replay(store.scan("cup").journal)
    return set(history_of(lines).frames)


@pytest.mark.parametrize("phase", ["preparing", "moving", "settling", "capturing", "storing", "paused"])
def test_a_stop_in_any_phase_parks_the_motor_and_keeps_the_journal(tmp_path: Path, phase: str) -> None:
    ended = run(tmp_path, "--at", phase, "--then", "SIGTERM")
    assert ended.code == 0, ended.log
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert summary_of(ScanStore(StoreLayout(tmp_path / "store")), "cup").state is ScanState.UNFINISHED
    # The scan waits for the disk after its last photo; else the frame in hand is finished.
    expected: dict[str, set[int]] = {"preparing": set(), "paused": set(), "storing": {0, 1, 2}}
    assert stored_frames(tmp_path) == expected.get(phase, {0, 1})


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


def test_a_camera_that_hangs_is_given_up_in_time(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "settling", "--hang", "camera", "--then", "SIGTERM")
    assert ended.code == 0, "at short exposures its driver notices by itself"
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert "settling is not over after 2.2 s and is abandoned" in ended.log
    assert stored_frames(tmp_path) == {0}


def test_a_camera_that_may_expose_for_longer_lets_go_all_the_same(tmp_path: Path) -> None:
    options = ("--at", "settling", "--hang", "camera", "--then", "SIGTERM", "--speed", "8")
    ended = run(tmp_path, *options, exposure_us=600_000)
    assert ended.code == 0, ended.log
    assert ended.took_s < STOP_S
    assert ended.motor_is_off
    assert "settling is not over after 2.2 s and is abandoned" in ended.log
    assert stored_frames(tmp_path) == {0}


def test_a_disk_that_hangs_is_abandoned_and_said(tmp_path: Path) -> None:
    ended = run(tmp_path, "--at", "capturing", "--hang", "disk", "--then", "SIGTERM")
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
    ended = run(tmp_path, "--at", "capturing", "--hang", "disk", "--then", "SIGTERM,SIGINT")
    assert ended.code == 1
    assert ended.took_s < STOP_S / 2
    assert ended.motor_is_off
    assert "SIGINT again: nothing is finished any more" in ended.log


def test_people_who_look_on_do_not_keep_it_up(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    door = {"address": "127.0.0.1", "port": 0, "socket": f"{tmp_path}/web.sock"}
    config.write_text(settings(tmp_path, web=door))
    with running(config, "--work", "none") as process:
        follower, idler = connected(tmp_path / "web.sock"), connected(tmp_path / "web.sock")
        follower.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in follower.recv(4096)
        idler.sendall(b"GET /api/v1/sta")
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
        follower.close()
        idler.close()


@contextmanager
def running(config: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(SUPPORT / "serve_on_bench.py"), str(config), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    try:
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def connected(path: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    end.settimeout(60)
    end.connect(str(path))
    return end
