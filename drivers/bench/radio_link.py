"""WiFi between device and service: a proxy on loopback with rate, delay, stalls, outages and cuts, by name and seed.

    python -m drivers.bench.radio_link --to PORT [--link NAME] [--rate-mbit-s RATE] [--cut-bytes MEAN] [--seed N] […]

prints `port N` once it listens, and on SIGTERM what passed as one JSON object. Standard library only.

Both ways share the air, as radio does. What is lost on it comes again by TCP: programs see stalls of its
retransmission timer (0.2 s at least on Linux), never holes. In an outage nothing passes and connections stay; a cut
resets one after a random number of bytes from the client.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

CHUNK_BYTES = 8 << 10
BUFFER_BYTES = 64 << 10
"""What a reset connection takes with it was sent in vain: keep it small, as radios do."""
IN_FLIGHT = 16
"""Chunks that are on their way at most, in each direction of a connection."""
LATE_S = 0.05
"""So late a program on a busy machine may be with its next chunk: no radio would have been idle meanwhile."""


@dataclass(frozen=True)
class LinkMake:
    """How a link behaves."""

    says: str
    rate_mbit_s: float = float("inf")
    """Of both directions together."""
    delay_s: float = 0.0
    """One way."""
    jitter_s: float = 0.0
    """Mean of what is added to it; order is kept."""
    stall_share: float = 0.0
    """Of all chunks of 8 KiB that are sent again."""
    stall_s: tuple[float, float] = (0.2, 1.0)
    outage_every_s: float = 0.0
    """Mean time from the end of one to the beginning of the next; 0: there are none."""
    outage_s: tuple[float, float] = (2.0, 12.0)
    cut_bytes: float = 0.0
    """A connection is reset after so many bytes from the client, mean; 0: never."""


LINKS = {
    "wire": LinkMake("a cable"),
    "shop": LinkMake("WiFi of a shop", 20.0, 0.003, 0.003, 0.002),
    "far-corner": LinkMake("WiFi in the farthest corner", 3.0, 0.020, 0.030, 0.01, outage_every_s=40.0),
    "cuts": LinkMake("a link that is cut every 2 MB", 40.0, 0.003, 0.002, cut_bytes=2e6),
}


@dataclass
class Passed:
    """What went through."""

    bytes_sent: int = 0
    """By clients."""
    cuts: int = 0
    stalls: int = 0
    outages: int = 0


class Air:
    """What all connections of a link share: one chunk at a time, and nothing during outages."""

    def __init__(self, make: LinkMake, chance: random.Random, passed: Passed) -> None:
        self._make, self._chance, self._passed = make, chance, passed
        self._turn = asyncio.Lock()
        self._free_s = float("-inf")
        self._next_outage_s = self._after_s(time.monotonic())

    async def carry(self, size_bytes: int) -> None:
        """Return once a chunk has been on the air."""
        async with self._turn:
            await _sleep_until(self._taken_until(size_bytes))

    def _taken_until(self, size_bytes: int) -> float:
        now_s = time.monotonic()
        begins_s = self._free_s if now_s < self._free_s + LATE_S else now_s
        if begins_s >= self._next_outage_s:
            self._passed.outages += 1
            begins_s = max(begins_s, self._next_outage_s + self._chance.uniform(*self._make.outage_s))
            self._next_outage_s = self._after_s(begins_s)
        self._free_s = begins_s + size_bytes * 8 / (self._make.rate_mbit_s * 1e6)
        return self._free_s

    def _after_s(self, from_s: float) -> float:
        every_s = self._make.outage_every_s
        return from_s + self._chance.expovariate(1 / every_s) if every_s else float("inf")


class RadioLink:
    """Forwards a port of its own to another one on loopback."""

    def __init__(self, target_port: int, make: LinkMake, seed: int) -> None:
        self._target_port, self._make = target_port, make
        self._chance = random.Random(seed)
        self.passed = Passed()
        self._forwarding: set[asyncio.Task[None]] = set()

    async def run(self, tell: Callable[[int], None]) -> None:
        """Forward until SIGTERM; `tell` hears the port."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        self._air = Air(self._make, self._chance, self.passed)
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        await asyncio.start_server(self._forward, sock=listening, limit=BUFFER_BYTES)
        tell(listening.getsockname()[1])
        await stop.wait()
        print(json.dumps(asdict(self.passed)), flush=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        # Of a connection that both ends have left, nobody else may hold anything.
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)
        try:
            far_reader, far_writer = await self._far_end()
        except OSError:
            _reset(writer)
            return
        limit_bytes = self._chance.expovariate(1 / self._make.cut_bytes) if self._make.cut_bytes else float("inf")
        back = asyncio.create_task(_back(_Way(self, far_reader, writer)), name="link back")
        try:
            if await _Way(self, reader, far_writer, limit_bytes, counts=True).run():
                # The client has said all; what it asked for may still be on its way.
                await asyncio.wait({back})
            else:
                self.passed.cuts += 1
        except ConnectionError:
            pass  # one of the ends hung up: so does the other
        finally:
            back.cancel()
            for end in (writer, far_writer):
                _reset(end)

    async def _far_end(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the target. The kernel would hold a megabyte of what a slow one has not taken yet."""
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES // 2)
        far.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(far, ("127.0.0.1", self._target_port))
        except OSError:
            far.close()
            raise
        reader, writer = await asyncio.open_connection(sock=far)
        writer.transport.set_write_buffer_limits(0)
        return reader, writer

    async def carry(self, size_bytes: int) -> None:
        """Return once a chunk is through the air, however often it was sent."""
        await self._air.carry(size_bytes)
        if self._chance.random() < self._make.stall_share:
            self.passed.stalls += 1
            await asyncio.sleep(self._chance.uniform(*self._make.stall_s))

    def delay_s(self) -> float:
        """Return how long the next chunk is under way."""
        jitter_s = self._make.jitter_s
        return self._make.delay_s + (self._chance.expovariate(1 / jitter_s) if jitter_s else 0.0)


class _Way:
    """One direction of one connection."""

    def __init__(
        self,
        link: RadioLink,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit_bytes: float = float("inf"),
        *,
        counts: bool = False,
    ) -> None:
        self._link, self._reader, self._writer = link, reader, writer
        self._left_bytes, self._counts = limit_bytes, counts
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

    async def run(self) -> bool:
        """Return whether the sender ended it; no: it was cut. Raises ConnectionError."""
        arriving = asyncio.create_task(self._deliver(), name="link arriving")
        try:
            await self._send()
            await self._under_way.put((0.0, b""))
            await arriving
        finally:
            arriving.cancel()
        return self._left_bytes > 0

    async def _send(self) -> None:
        arrives_s = 0.0
        while self._left_bytes > 0 and (chunk := await self._reader.read(CHUNK_BYTES)):
            if self._counts:
                self._link.passed.bytes_sent += len(chunk)
            self._left_bytes -= len(chunk)
            await self._link.carry(len(chunk))
            arrives_s = max(arrives_s, time.monotonic() + self._link.delay_s())
            await self._under_way.put((arrives_s, chunk))

    async def _deliver(self) -> None:
        while True:
            arrives_s, chunk = await self._under_way.get()
            if not chunk:
                break
            await _sleep_until(arrives_s)
            self._writer.write(chunk)
            await self._writer.drain()
        if self._left_bytes > 0 and self._writer.can_write_eof():
            self._writer.write_eof()


async def _back(way: _Way) -> None:
    """Carry answers; who asked may have left."""
    with contextlib.suppress(ConnectionError):
        await way.run()


async def _sleep_until(at_s: float) -> None:
    if (left_s := at_s - time.monotonic()) > 0:
        await asyncio.sleep(left_s)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main(arguments: Sequence[str] | None = None) -> None:
    """Be a link until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m drivers.bench.radio_link", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--to", type=int, required=True, metavar="PORT", help="of the service")
    parser.add_argument("--link", choices=list(LINKS), default="wire")
    parser.add_argument(
        "--cut-bytes", type=float, default=None, metavar="MEAN", help="reset connections after so many"
    )
    parser.add_argument("--rate-mbit-s", type=float, default=None, metavar="RATE", help="of both directions together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port-file", type=Path, default=None, help="where to write the port, too")
    options = parser.parse_args(arguments)
    make = LINKS[options.link]
    if options.cut_bytes is not None:
        make = replace(make, cut_bytes=options.cut_bytes)
    if options.rate_mbit_s is not None:
        make = replace(make, rate_mbit_s=options.rate_mbit_s)

    def tell(port: int) -> None:
        if options.port_file is not None:
            options.port_file.write_text(str(port))
        print(f"port {port}", flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(RadioLink(options.to, make, options.seed).run(tell))


if __name__ == "__main__":
    main()
