"""What systemd would hear, on a socket like its own."""

import os
import socket
import time
from pathlib import Path

import pytest

from scannerd.process.manager import LONGEST_STATUS, ServiceManager


class Listener:
    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(60)

    def heard(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def silent(self) -> bool:
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(60)
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_path_and_abstract_sockets_are_told(tmp_path: Path, abstract: bool) -> None:
    address = f"@scannerd-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    listener, manager = Listener(address), ServiceManager(address)
    manager.ready()
    assert listener.heard() == ["READY=1"]
    manager.stopping()
    assert listener.heard() == ["STOPPING=1"]
    manager.alive()
    assert listener.heard() == ["WATCHDOG=1"]
    before_us = time.monotonic_ns() // 1000
    manager.reloading()
    reloading, stamp = listener.heard()
    assert reloading == "RELOADING=1"
    assert before_us <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    manager.close()
    manager.close()
    listener.close()


def test_a_status_is_one_line_and_is_not_repeated(tmp_path: Path) -> None:
    listener, manager = Listener(str(tmp_path / "notify")), ServiceManager(str(tmp_path / "notify"))
    manager.status("config.toml, 2 problems\n  [scan] views = 1: use 3 to 720")
    assert listener.heard() == ["STATUS=config.toml, 2 problems [scan] views = 1: use 3 to 720"]
    manager.status("config.toml, 2 problems\n  [scan] views = 1: use 3 to 720")
    assert listener.silent()
    manager.status("x" * 1000)
    assert listener.heard() == ["STATUS=" + "x" * LONGEST_STATUS]
    manager.close()
    listener.close()


def test_nobody_listening_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager(None)
    manager.ready()
    manager.close()
    gone = ServiceManager(str(tmp_path / "nobody"))
    gone.ready()
    gone.close()
    assert "was not told READY=1: No such file or directory" in caplog.text


def test_the_environment_says_whom_to_tell_and_how_often() -> None:
    assert ServiceManager.from_environment({}).watchdog_s is None
    mine = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    assert ServiceManager.from_environment(mine).watchdog_s == 30
    assert ServiceManager.from_environment({"WATCHDOG_USEC": "30000000"}).watchdog_s == 30
    assert ServiceManager.from_environment(mine | {"WATCHDOG_PID": "1"}).watchdog_s is None
    assert ServiceManager.from_environment({"WATCHDOG_USEC": "0"}).watchdog_s is None
