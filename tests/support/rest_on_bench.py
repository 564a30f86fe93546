"""The REST door on a bench: real daemon, real sockets, a client that speaks HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from scan_on_bench import bench_text

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.control.rest.door import RestDoor
from scannerd.hardware import build_hardware
from scannerd.settings.file import read_config

PATIENCE_S = 90.0


@dataclass
class Heard:
    """One server-sent event."""

    id: str
    event: str
    data: str


class Listening:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.heard: list[Heard] = []

    async def next(self) -> Heard:
        """Return the next event; comments are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                if line == "" and "data" in fields:
                    self.heard.append(Heard(fields["id"], fields["event"], fields["data"]))
                    return self.heard[-1]
                name, separator, value = line.partition(": ")
                if separator and name:
                    fields[name] = value
        raise EOFError("the stream ended")

    async def until(self, event: str) -> Heard:
        """Return the next event of this type."""
        while True:
            heard = await self.next()
            if heard.event == event:
                return heard


@dataclass
class Served:
    """A daemon whose REST door is open."""

    daemon: Daemon
    door: RestDoor
    socket: Path
    config_file: Path
    task: asyncio.Task[None]
    token: str = ""

    @property
    def port(self) -> int:
        assert self.door.app.port is not None
        return self.door.app.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, **more: Any) -> httpx.AsyncClient:
        """Return a client on the network, with the token of a paired tablet unless another one is named."""
        chosen = self.token if token is None else token
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=PATIENCE_S, **more)

    def local(self) -> httpx.AsyncClient:
        """Return a client on the socket file."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", timeout=PATIENCE_S)

    @asynccontextmanager
    async def listening(self, last_id: str | None = None, token: str | None = None) -> AsyncIterator[Listening]:
        """Follow the events."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        async with self.client(token) as client, client.stream("GET", "/events", headers=headers) as response:
            assert response.status_code == 200
            yield Listening(response)

    async def raw(self, head: bytes, path: Path | None = None) -> bytes:
        """Send bytes as they are, and return everything that comes back."""
        reader, writer = await (
            asyncio.open_unix_connection(path) if path else asyncio.open_connection("127.0.0.1", self.port)
        )
        try:
            writer.write(head)
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def pair(self, name: str = "shop tablet") -> str:
        """Pair as a person does, and return the token."""
        async with self.local() as local, self.client("") as tablet:
            code = (await local.post("/pair/code", json={})).json()["code"]
            return str((await tablet.post("/pair", json={"code": code, "name": name})).json()["token"])


Serve = Callable[..., AbstractAsyncContextManager[Served]]


def serving(bench: Bench, store: Path, socket: Path) -> Serve:
    """Return what opens the door; the same store each time it is called."""
    config_file = store.parent / "config.toml"

    @asynccontextmanager
    async def served(
        views: int = 6, more: str = "", paired: bool = True, reserve_mb: int = 0, port: int = 0, **door: Any
    ) -> AsyncIterator[Served]:
        web = f'\n[web]\naddress = "127.0.0.1"\nport = {port}\nsocket = "{socket}"\n'
        settings = bench_text(store, views, store={"reserve_mb": reserve_mb})
        config_file.write_text(settings + web + more)
        config = read_config(config_file)
        async with Daemon(config, build_hardware(config, bench.clock), config_file=config_file) as daemon:
            rest = RestDoor(daemon, **door)
            with closing(rest):
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(rest.run())
                    here = Served(daemon, rest, socket, config_file, task)
                    if paired:
                        here.token = await here.pair()
                    yield here
                    task.cancel()

    return served


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for something that other tasks bring about."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def figures(metrics: str) -> dict[str, float]:
    """Return every line of /metrics by its name and labels."""
    found = re.findall(r"^([a-z_]+(?:\{.*\})?) ([0-9.e+-]+)$", metrics, re.M)
    return {name: float(value) for name, value in found}
