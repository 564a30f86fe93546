"""WiFi between device and service: what it does to bytes, and that photos come through whatever it is like."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.bench.radio_link import LINKS


class Echo:
    """Says back what it hears, to one client after the other."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                talking, _ = self._listening.accept()
            except OSError:
                return
            with talking:
                try:
                    while heard := talking.recv(1 << 16):
                        talking.sendall(heard)
                except OSError:
                    continue

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def link_to(kit: Any) -> Iterator[Callable[..., tuple[Any, int]]]:
    made = []

    def start(port: int, *options: str) -> tuple[Any, int]:
        program = kit.program(["-m", "drivers.bench.radio_link", "--to", str(port), *options])
        made.append(program)
        program.start()
        return program, int(program.read_line("port ").split()[1])

    yield start
    for program in made:
        program.end()


def said_back(port: int, sent: bytes) -> bytes:
    heard = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        sending = threading.Thread(target=lambda: (line.sendall(sent), line.shutdown(socket.SHUT_WR)))
        sending.start()
        while chunk := line.recv(1 << 16):
            heard += chunk
        sending.join()
    return bytes(heard)


def test_bytes_come_through_in_order_and_no_faster_than_the_air_carries_both_ways(
    echo: Echo, link_to: Callable[..., tuple[Any, int]]
) -> None:
    _, port = link_to(echo.port, "--link", "shop", "--seed", "3")
    sent = bytes(range(256)) * 2000
    began_s = time.monotonic()
    assert said_back(port, sent) == sent
    least_s = 2 * len(sent) * 8 / (LINKS["shop"].rate_mbit_s * 1e6)
    assert time.monotonic() - began_s >= least_s


def test_an_answer_is_never_sooner_than_there_and_back(echo: Echo, link_to: Callable[..., tuple[Any, int]]) -> None:
    _, port = link_to(echo.port, "--link", "far-corner")
    began_s = time.monotonic()
    assert said_back(port, b"ping") == b"ping"
    assert time.monotonic() - began_s >= 2 * LINKS["far-corner"].delay_s


def test_a_cut_is_a_reset_after_a_number_of_bytes_that_the_seed_decides(
    echo: Echo, link_to: Callable[..., tuple[Any, int]]
) -> None:
    _, port = link_to(echo.port, "--cut-bytes", "20000", "--seed", "1")
    with pytest.raises(OSError, match=r"reset|pipe"):
        said_back(port, bytes(2_000_000))


@pytest.mark.parametrize("link", ["shop", "cuts"])
def test_photos_and_models_come_through_whatever_the_link_is_like(
    kit: Any, service: Any, make_worker: Any, make_sync: Any, scan: Any, link: str
) -> None:
    make_worker(service)
    network = kit.program(
        ["-m", "drivers.bench.radio_link", "--to", str(service.port), "--link", link, "--seed", "2"]
    )
    network.start()
    try:
        make_sync(f"http://127.0.0.1:{network.read_line('port ').split()[1]}")
        for index in range(6):
            scan.take(index, kit.jpeg(index, 640, 480))
        scan.seal(photo_width_px=640, photo_height_px=480)
        kit.wait_for(lambda: scan.state is not None and scan.state.results_in_place, "results", 60)
    finally:
        network.end()
