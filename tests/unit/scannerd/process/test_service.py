"""What systemd hears of the daemon: a real process that tells a socket like systemd's."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench_settings import SMALL_MAT, bench_settings

ROOT = Path(__file__).resolve().parents[4]
SUPPORT = ROOT / "tests" / "support"
PATIENCE_S = 60.0


class Systemd:
    """The end of $NOTIFY_SOCKET that systemd would have, and the process that it would have started."""

    def __init__(self, folder: Path, *options: str, watchdog_s: float = 2.0, views: int = 3) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        scan = {"views": views, "settle_s": 0.3}
        self.config.write_text(bench_settings(folder / "store", scan=scan, mat=SMALL_MAT, web={"enabled": False}))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.settimeout(0.1)
        self.heard: list[str] = []
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(SUPPORT)]),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(round(watchdog_s * 1e6)),
        }
        command = [sys.executable, str(SUPPORT / "serve_on_bench.py"), str(self.config), *options]
        self._log = (folder / "log").open("w")
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env=environment)

    def listen(self, seconds: float) -> list[str]:
        """Return what is said in this time."""
        before, until_s = len(self.heard), time.monotonic() + seconds
        while time.monotonic() < until_s:
            self._receive()
        return self.heard[before:]

    def wait_for(self, pattern: str) -> str:
        """Return the first message from now on that matches."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            said = self._receive()
            if said is not None and re.search(pattern, said):
                return said
        raise AssertionError(f"not heard in {PATIENCE_S} s: {pattern}; heard {self.heard}\n{self.log()}")

    def wait_for_log(self, text: str) -> None:
        """Return once the log says so; what is told meanwhile is in `heard`."""
        until_s = time.monotonic() + 2 * PATIENCE_S
        while text not in self.log():
            assert time.monotonic() < until_s, self.log()
            self.listen(0.2)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
        self._socket.close()

    def _receive(self) -> str | None:
        try:
            said = self._socket.recv(4096).decode()
        except TimeoutError:
            return None
        self.heard.append(said)
        return said


@contextmanager
def started(folder: Path, *options: str, watchdog_s: float = 2.0, views: int = 3) -> Iterator[Systemd]:
    systemd = Systemd(folder, *options, watchdog_s=watchdog_s, views=views)
    try:
        yield systemd
    finally:
        systemd.close()


def test_a_life_from_ready_to_stopping(tmp_path: Path) -> None:
    with started(tmp_path, "--speed", "8", views=12) as systemd:
        systemd.wait_for("^READY=1$")
        assert systemd.heard[0] == "STATUS=starting"
        systemd.wait_for(r"^STATUS=scan cup: \d+ of 12 photos")
        systemd.wait_for("^STATUS=idle$")
        assert systemd.listen(2.0).count("WATCHDOG=1") in (3, 4, 5), "four times in a period of two seconds"
        systemd.process.send_signal(signal.SIGTERM)
        systemd.wait_for("^STOPPING=1$")
        assert systemd.process.wait(5) == 0
        assert re.search(r"ready \d+\.\d\d s after the process began", systemd.log())


def test_sighup_takes_the_file_or_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with started(tmp_path, "--work", "none") as systemd:
        systemd.wait_for("^STATUS=idle$")
        sound = systemd.config.read_text()
        systemd.config.write_text(sound.replace("views = 3", "views = 5"))
        systemd.process.send_signal(signal.SIGHUP)
        assert re.search(r"\nMONOTONIC_USEC=\d+$", systemd.wait_for("^RELOADING=1"))
        systemd.wait_for("^READY=1$")
        assert "new settings: [scan] views" in systemd.log()
        systemd.config.write_text(sound.replace("views = 3", "views = 2").replace("settle_s", "setle_s"))
        systemd.process.send_signal(signal.SIGHUP)
        systemd.wait_for("^RELOADING=1")
        said = systemd.wait_for("^STATUS=idle; new settings are not taken")
        systemd.wait_for("^READY=1$")
        assert "2 problems [scan] views = 2: use a whole number, 3 to 720" in said
        assert "did you mean settle_s?" in said
        systemd.config.write_text(sound)
        systemd.process.send_signal(signal.SIGHUP)
        systemd.wait_for("^STATUS=idle$")


def test_devices_are_not_exchanged_in_a_scan_and_systemd_hears_why(tmp_path: Path) -> None:
    with started(tmp_path, "--speed", "1", views=60) as systemd:
        systemd.wait_for("^STATUS=scan cup: [1-9]")
        systemd.config.write_text(systemd.config.read_text().replace("[camera]\n", "[camera]\nexposure_us = 9000\n"))
        systemd.process.send_signal(signal.SIGHUP)
        systemd.wait_for("^READY=1$")
        systemd.wait_for(
            r"^STATUS=scan cup: .* photos.*; new settings are not taken: \[camera\] exposure_us: scan cup is"
        )


@pytest.mark.slow
def test_a_scan_that_hangs_starves_the_watchdog_though_the_loop_turns(tmp_path: Path) -> None:
    with started(tmp_path, "--at", "moving", "--hang", "disk", watchdog_s=4.0) as systemd:
        systemd.wait_for_log("scan cup: storing has lasted")
        assert systemd.heard.count("WATCHDOG=1") > 20, "it was fed until the disk was overdue"
        assert "WATCHDOG=1" not in systemd.listen(4.0)
        systemd.process.send_signal(signal.SIGABRT)  # what systemd does after four seconds of silence
        assert systemd.process.wait(5) == -signal.SIGABRT
        assert "write_group" in systemd.log(), "everybody's traceback tells where it hung"
