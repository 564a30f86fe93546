"""Sockets that listen."""

import socket
import stat
from pathlib import Path

import pytest

from scannerd.control.rest.addresses import page_addresses
from scannerd.control.rest.listening import (
    SEND_BUFFER_BYTES,
    CannotListen,
    listen_on_file,
    listen_on_network,
)


def test_connections_answer_at_once_and_hold_little() -> None:
    """An answer is written in two pieces: the second must not wait for the first to be acknowledged."""
    with listen_on_network("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"])
def test_addresses(address: str) -> None:
    with listen_on_network(address, 0) as listening:
        port = listening.getsockname()[1]
        family = socket.AF_INET6 if address == "::1" else socket.AF_INET
        with socket.socket(family) as caller:
            caller.connect(("::1" if address == "::1" else "127.0.0.1", port))


def test_what_cannot_be_had_says_why() -> None:
    with (
        listen_on_network("127.0.0.1", 0) as listening,
        pytest.raises(CannotListen, match=r"in use.*set \[web\] address"),
    ):
        listen_on_network("127.0.0.1", listening.getsockname()[1])
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
        listen_on_network("192.0.2.1", 0)


def test_a_socket_file(tmp_path: Path) -> None:
    file = tmp_path / "s"
    with listen_on_file(file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o660
        with pytest.raises(CannotListen, match="another daemon"):
            listen_on_file(file)
    with listen_on_file(file), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(file))
    with pytest.raises(CannotListen, match="No such file"):
        listen_on_file(tmp_path / "nowhere" / "s")
    with pytest.raises(CannotListen, match="too long"):
        listen_on_file(tmp_path / ("x" * 120))


def test_addresses_of_the_page() -> None:
    assert page_addresses("192.168.1.7", 80) == ("http://192.168.1.7:80",)
    assert page_addresses("fd00::7", 80) == ("http://[fd00::7]:80",)
    found = page_addresses("0.0.0.0", 8740)
    assert found[-1].endswith(".local:8740")
    assert not any("127.0.0.1" in address for address in found)
