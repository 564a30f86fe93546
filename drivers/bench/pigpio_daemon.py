"""pigpio's daemon on the bench: its socket protocol, and waves timed by the bench's clock.

It knows the commands that our pulses use; to any other it answers as the daemon does to one that it does not know.
"""

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any

from drivers.bench.bench_clock import BenchClock
from drivers.bench.install import Bench
from drivers.bench.pins import Wire

UNKNOWN_COMMAND, BAD_WAVE_ID, EMPTY_WAVE = -88, -66, -69
NO_TX_WAVE = 9999
VERSION = 79


class Command(IntEnum):
    """As pigpio's socket interface numbers them."""

    MODES = 0
    READ = 3
    WRITE = 4
    BR1 = 10
    NB = 19
    NC = 21
    PIGPV = 26
    WVCLR = 27
    WVAG = 28
    WVHLT = 33
    WVCRE = 49
    WVDEL = 50
    NOIB = 99
    WVTXM = 100
    WVTAT = 101


Pulse = tuple[int, int, int]
"""Bits of the lines to raise, bits of those to lower, and the wait afterwards in µs."""


class PigpioWaves:
    """What the daemon knows of waves. One is played at a time, and one may be waiting in step with it."""

    def __init__(self, wires: dict[int, Wire], clock: BenchClock) -> None:
        self._wires = wires
        self._clock = clock
        self._lock = threading.Condition()
        self._added: list[Pulse] = []
        self._waves: dict[int, list[Pulse]] = {}
        self._next_id = 0
        self._queue: list[int] = []
        self._halted = False
        self._thread = threading.Thread(target=self._play, name="pigpio waves")
        self._closed = False
        self._due_s = 0.0
        self._thread.start()

    def close(self) -> None:
        """Stop playing."""
        with self._lock:
            self._closed = self._halted = True
            self._lock.notify_all()
        self._thread.join()

    def answer(self, command: int, one: int, two: int, more: bytes) -> int:
        """Carry out one command and return its result, negative for an error."""
        with self._lock:
            match command:
                case Command.WRITE:
                    self._set(1 << one if two else 0, 0 if two else 1 << one)
                case Command.PIGPV:
                    return VERSION
                case Command.WVCLR:
                    self._added.clear()
                    self._waves.clear()
                case Command.WVAG:
                    self._added += struct.iter_unpack("III", more)
                    return len(self._added)
                case Command.WVHLT:
                    self._queue.clear()
                    self._halted = True
                case Command.WVCRE:
                    return self._create()
                case Command.WVDEL:
                    return 0 if self._waves.pop(one, None) is not None else BAD_WAVE_ID
                case Command.WVTXM:
                    return self._send(one)
                case Command.WVTAT:
                    return self._queue[0] if self._queue else NO_TX_WAVE
                case _ if command not in list(Command):
                    return UNKNOWN_COMMAND
        return 0

    def _create(self) -> int:
        if not self._added:
            return EMPTY_WAVE
        wave, self._next_id = self._next_id, self._next_id + 1
        self._waves[wave], self._added = self._added, []
        return wave

    def _send(self, wave: int) -> int:
        if wave not in self._waves:
            return BAD_WAVE_ID
        self._queue.append(wave)
        self._halted = False
        self._lock.notify_all()
        return len(self._waves[wave])

    def _play(self) -> None:
        while (pulses := self._next_wave()) is not None:
            due_s = max(self._clock.now_s(), self._due_s)
            for raised, lowered, delay_us in pulses:
                with self._lock:
                    if self._halted:
                        break
                    self._set(raised, lowered)
                due_s += delay_us * 1e-6
                self._clock.sleep_until(due_s)
            self._due_s = due_s
            with self._lock:
                if self._queue and not self._halted:
                    self._queue.pop(0)

    def _next_wave(self) -> list[Pulse] | None:
        with self._lock:
            while not self._queue and not self._closed:
                self._lock.wait()
            return None if self._closed else self._waves[self._queue[0]]

    def _set(self, raised: int, lowered: int) -> None:
        for number, wire in self._wires.items():
            if raised >> number & 1:
                wire.hear(1.0)
            elif lowered >> number & 1:
                wire.hear(0.0)


class _Connection(socketserver.BaseRequestHandler):
    """Commands of 16 bytes, some with more after them; answers of 16."""

    def handle(self) -> None:
        while len(head := self._read(16)) == 16:
            command, one, two, length = struct.unpack("IIII", head)
            # Only what adds to a wave carries more; elsewhere the number is a parameter.
            more = self._read(length) if command == Command.WVAG else b""
            result = self.server.waves.answer(command, one, two, more)  # type: ignore[attr-defined]
            self.request.sendall(struct.pack("IIIi", command, one, two, result))

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (part := self.request.recv(count - len(found))):
            found += part
        return found


class _Server(socketserver.ThreadingTCPServer):
    """A thread for each connection; they end with their sockets."""

    allow_reuse_address = True

    def __init__(self, waves: PigpioWaves) -> None:
        """Listen at a port that is free."""
        self.waves = waves
        self._connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Connection)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().finish_request(request, client_address)

    def server_close(self) -> None:
        """Die, with all connections: their other ends notice."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def pigpio_beneath(bench: Bench) -> Iterator[None]:
    """Let a daemon answer at the place that PIGPIO_ADDR and PIGPIO_PORT name, until the block ends."""
    wires = {int(name.removeprefix("GPIO")): wire for name, wire in bench.pins.wires.items()}
    waves = PigpioWaves(wires, bench.clock)
    with _Server(waves) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="pigpio daemon")
        serving.start()
        before = {name: os.environ.get(name) for name in ("PIGPIO_ADDR", "PIGPIO_PORT")}
        os.environ |= {"PIGPIO_ADDR": "127.0.0.1", "PIGPIO_PORT": str(server.server_address[1])}
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value
            server.shutdown()
            serving.join()
            waves.close()
