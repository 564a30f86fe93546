"""A network that breaks: resets every connection after a random number of bytes from the client.

usage: cutting_proxy.py TARGET_PORT MEAN_BYTES SEED; prints its port, and on SIGTERM how many cuts and bytes.
"""

import asyncio
import contextlib
import json
import random
import signal
import socket
import struct
import sys

BUFFER_BYTES = 64 << 10


class CuttingProxy:
    """Forwards to a port on loopback."""

    def __init__(self, target_port: int, mean_bytes: float, seed: int) -> None:
        self._target_port, self._mean_bytes = target_port, mean_bytes
        self._chance = random.Random(seed)
        self.cuts = self.bytes_sent = 0

    async def run(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        await asyncio.start_server(self._forward, sock=listening, limit=BUFFER_BYTES)
        print(f"port {listening.getsockname()[1]}", flush=True)
        await stop.wait()
        print(json.dumps({"cuts": self.cuts, "bytes_sent": self.bytes_sent}), flush=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        back = asyncio.create_task(self._pump_back(far_reader, writer))
        left_bytes = self._chance.expovariate(1 / self._mean_bytes)
        with contextlib.suppress(ConnectionError):
            while left_bytes > 0 and (chunk := await reader.read(BUFFER_BYTES)):
                self.bytes_sent += len(chunk)
                left_bytes -= len(chunk)
                far_writer.write(chunk)
                await far_writer.drain()
        self.cuts += left_bytes <= 0
        back.cancel()
        for end in (writer, far_writer):
            _reset(end)

    async def _pump_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(BUFFER_BYTES):
                writer.write(chunk)
                await writer.drain()
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(CuttingProxy(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])).run())
