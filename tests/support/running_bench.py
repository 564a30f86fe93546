"""A scanner for the browser: `scannerd bench` in a process of its own, that can be killed and started again."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from drivers.bench.reach import reach

READY_LIMIT_S = 120.0
STOP_LIMIT_S = 60.0
ANSWER_LIMIT_S = 60.0

SETTINGS = """\
[device]
name = "Workshop scanner"

[store]
folder = "{folder}/store"
reserve_mb = 64

[web]
address = "127.0.0.1"
port = {port}
socket = "{folder}/web.sock"
read_without_token = {read_without_token}

[light]
driver = "gpio"

[scan]
views = {views}
{scan}

[quality]
ask_a_person = {ask_a_person}
min_relative_sharpness = {min_relative_sharpness}
max_cut_off_fraction = {max_cut_off_fraction}

[reconstruction]
voxel_mm = 2.0
texture_px = 1024
triangles = 20000

{more}
"""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningBench:
    """The daemon on the bench, its page on a port that stays the same when it is started again."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        views: int = 6,
        size_px: tuple[int, int] = (320, 240),
        speed: float = 10.0,
        read_without_token: bool = False,
        ask_a_person: bool = False,
        min_relative_sharpness: float = 0.0,
        max_cut_off_fraction: float = 0.003,
        scan: str = "",
        more: str = "",
    ) -> None:
        """`scan` are further lines of that section, `more` further sections."""
        self.folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        self.settings = folder / "config.toml"
        self.settings.write_text(
            SETTINGS.format(
                folder=folder,
                port=port,
                views=views,
                min_relative_sharpness=min_relative_sharpness,
                max_cut_off_fraction=max_cut_off_fraction,
                read_without_token=str(read_without_token).lower(),
                ask_a_person=str(ask_a_person).lower(),
                scan=scan,
                more=more,
            )
        )
        size = ["--width-px", str(size_px[0]), "--height-px", str(size_px[1])]
        self._arguments = [*size, "--speed", str(speed), *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "daemon.log").open("ab")
        self._door = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(folder / "web.sock")),
            base_url="http://localhost/api/v1/",
            timeout=ANSWER_LIMIT_S,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._door.close()
            self._log.close()

    def start(self) -> None:
        """Return when it answers. Raises AssertionError with the end of its log."""
        command = [sys.executable, "-m", "scannerd", "bench", "--config", str(self.settings), *self._arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self.wait_for("the daemon answers", self._answers, READY_LIMIT_S)

    def kill(self) -> None:
        """Let it end at once, as a power cut does."""
        process = self._running()
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Ask it to end; it must do so by itself, and with 0."""
        process = self._running()
        if process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_LIMIT_S)
        finally:
            process.kill()
            process.wait()
        assert code == 0, self._end_of_log()

    def pairing_code(self) -> str:
        """Return a code as `scannerd pair` shows it."""
        return str(self.ask("POST", "pair/code", {})["code"])

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask through the socket for this device's own users. Raises AssertionError when it is refused."""
        response = self._door.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def state(self) -> Any:
        """Return what the daemon says of itself."""
        return self.ask("GET", "state")

    def hand(self, action: str, **details: object) -> Any:
        """Reach into the bench."""
        return reach(self.folder / "store" / "hand.sock", action, **details)

    def wait_for(self, what: str, holds: Any, limit_s: float = 120.0) -> None:
        """Return once `holds()` is true. Raises AssertionError with the end of the daemon's log."""
        deadline_s = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {limit_s:.0f} s: {what}\n{self._end_of_log()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        code = self._running().poll()
        assert code is None, f"the daemon ended with {code}:\n{self._end_of_log()}"
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "web.sock")) == 0

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    def _end_of_log(self) -> str:
        return (self.folder / "daemon.log").read_text(errors="replace")[-3000:]
