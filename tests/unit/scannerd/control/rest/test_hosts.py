"""By which names the scanner may be called."""

import socket

import pytest

from scannerd.control.rest.hosts import is_ours, own_names

NAMES = own_names("0.0.0.0", "shop-scanner")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8740",
        "192.168.1.7",
        "[::1]:8740",
        "[fe80::1]",
        "localhost:8740",
        "scanner.local",
        "SCANNER.local.:8740",
        "shop-scanner",
        "shop-scanner.lan:8740",
        "shop-scanner.fritz.box",
        socket.gethostname(),
    ],
)
def test_own_names(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "shop-scanner.evil.example", "127.0.0.1.evil.example", "local", "evil.example:8740"]
)
def test_foreign_names(host: str) -> None:
    assert not is_ours(host, NAMES)
