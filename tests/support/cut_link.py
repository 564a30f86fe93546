"""The way to a server on loopback, which is cut after so many bytes and stays cut until it is mended."""

import asyncio
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 16 << 10
START_LIMIT_S = 60.0
KEPT_BYTES = 4 << 10
"""Of what a client says at once: enough for the head of a request."""


class CutLink:
    """Forwards a port of its own. While it is cut, connections are reset, as those to a dead server are."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._left_bytes: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cut link")
        self._is_listening, self._stop = threading.Event(), asyncio.Event()
        self.port = 0
        self.is_cut = False
        self.turned_away = 0
        self.said: list[bytes] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut_after(self, size_bytes: int) -> None:
        """Cut once clients have sent so many bytes more."""
        self.turned_away = 0
        self._left_bytes = size_bytes

    def mend(self) -> None:
        self._left_bytes = None
        self.is_cut = False

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_listening.wait(START_LIMIT_S)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _value: object, _traceback: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_listening.set()
        await self._stop.wait()
        server.close()
        self._reset_all()

    async def _forward(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.is_cut:
            self.turned_away += 1
            back.transport.abort()
            return
        server, out = await asyncio.open_connection("127.0.0.1", self._target_port)
        mine = {back, out}
        self._writers |= mine
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(client, out, counts=True))
                both.create_task(self._carry(server, back, counts=False))
        finally:
            self._writers -= mine
            for writer in mine:
                writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counts: bool) -> None:
        try:
            while chunk := await source.read(CHUNK_BYTES):
                if counts:
                    self.said.append(chunk[:KEPT_BYTES])
                    chunk = self._allowed(chunk)
                target.write(chunk)
                await target.drain()
                if self.is_cut:
                    self._reset_all()
            target.write_eof()
        except OSError:
            self._abort(target)

    def _allowed(self, chunk: bytes) -> bytes:
        if self._left_bytes is None:
            return chunk
        chunk = chunk[: self._left_bytes]
        self._left_bytes -= len(chunk)
        self.is_cut = self._left_bytes == 0
        return chunk

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
