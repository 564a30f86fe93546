"""What broken and wicked programs send: refused with a reason, nothing started, memory bounded."""

import asyncio
import json
import os
import random
from pathlib import Path

import httpx
import psutil
import pytest
from rest_on_bench import Serve, Served, eventually

from scannerd.control.rest.connection import MOST_PER_ADDRESS, GuardedConnection
from scannerd.control.rest.gate import LARGEST_BODY_BYTES, Pace

JSON = {"Content-Type": "application/json"}
TRICKS = (
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc",
    "..%5c..%5cboot.ini",
    ".hidden",
    "mug%00.jpg",
    "mug%0aX-Evil:1",
    "%ff%fe",
    "~root",
    "-rf",
    "a" * 81,
    "%252e%252e%252f",
    "m%c3%bcg",
    "+",
    "#",
    "*",
    "$(id)",
)


class Impatient(GuardedConnection):
    request_s = 0.5
    unread_s = 0.5


def head(served: Served, method: str, path: str, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {served.token}", *more, "", ""]
    return "\r\n".join(lines).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


async def test_path_tricks(serve: Serve, tmp_path: Path) -> None:
    async with serve(pace=Pace(changes_burst=1000)) as served:
        secret = served.daemon.store.layout.root / "secret.json"
        secret.write_text("secret")
        before = everything_in(tmp_path)
        for trick in TRICKS:
            paths = [
                f"/api/v1/scans/{trick}",
                f"/api/v1/scans/{trick}/log",
                f"/api/v1/scans/{trick}/results",
                f"/api/v1/scans/{trick}/photos.zip",
                f"/api/v1/scans/{trick}/frames/0.jpg",
                f"/api/v1/scans/mug/results/{trick}",
                f"/api/v1/scans/mug/results/a/{trick}",
                f"/api/v1/scans/mug/frames/{trick}.jpg",
                f"/{trick}/secret.json",
                f"/assets/{trick}",
            ]
            for path in paths:
                answer = await served.raw(head(served, "GET", path, "Connection: close"))
                assert status_of(answer) in (400, 404, 422), (path, answer[:200])
                assert b"secret" not in answer.split(b"\r\n\r\n", 1)[1].replace(b"secret.json", b"")
            for verb in ("POST", "DELETE"):
                path = f"/api/v1/scans/{trick}" + ("/pause" if verb == "POST" else "")
                more = ("Content-Type: application/json", "Content-Length: 2", "Connection: close")
                answer = await served.raw(head(served, verb, path, *more) + b"{}")
                assert status_of(answer) in (400, 404, 405, 422), (verb, path, answer[:200])
        assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", ["../mug", "", ".", "a/b", "mug\n", "a" * 81, "müg", "-mug", 7, ["mug"], {"a": 1}])
async def test_odd_names_of_scans(serve: Serve, name: object) -> None:
    async with serve() as served, served.client() as client:
        answer = await client.post("/scans", json={"scan_id": name})
        assert answer.status_code == 422
        assert "scan_id" in answer.json()["problems"][0]
        assert served.daemon.store.scan_ids() == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null,",
        b"\xff\xfe{}",
        b'"text"',
        b"{}{}",
        b"NaN",
        b'{"views": NaN}',
        b'{"views": 1e999}',
        b'{"views": "many"}',
        b'{"views": 2}',
        b'{"views": 3.5}',
        b'{"quality": "best"}',
        b'{"unknown": 1}',
        b"[" * 20_000,
        b'{"a":' * 5000,
        b'{"views": ' + b"9" * 5000 + b"}",
        b'{"expires_at": "tomorrow"}',
        b'{"expires_at": "2026-11-22T10:00:00"}',
        b'{"command_id": "' + b"x" * 65 + b'"}',
    ],
)
async def test_bodies_that_mean_nothing(serve: Serve, body: bytes) -> None:
    async with serve() as served, served.client() as client:
        answer = await client.post("/scans", content=body, headers=JSON)
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert served.daemon.store.scan_ids() == []


async def test_a_megabyte(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        big = json.dumps({"scan_id": "x" * 1_000_000}).encode()
        answer = await client.post("/scans", content=big, headers=JSON)
        assert answer.status_code == 413
        assert str(LARGEST_BODY_BYTES) in answer.json()["detail"]

        async def drops() -> object:
            for _ in range(1000):
                yield b" " * 1024

        answer = await client.post("/scans", content=drops(), headers=JSON)
        assert answer.status_code == 413
        more = ("Content-Type: application/json", "Content-Length: 99999999999999", "Connection: close")
        lying = head(served, "POST", "/api/v1/scans", *more)
        assert status_of(await served.raw(lying)) == 413
        long_header = await served.raw(head(served, "GET", "/api/v1/state", "X-Long: " + "x" * 3_000_000))
        assert long_header == b"" or status_of(long_header) == 400
        assert served.daemon.store.scan_ids() == []
        assert (await client.get("/state")).status_code == 200


async def test_noise_instead_of_http(serve: Serve) -> None:
    noise = random.Random(7)
    async with serve() as served, served.client() as client:
        for _ in range(50):
            answer = await served.raw(noise.randbytes(200) + b"\r\n\r\n")
            assert answer == b"" or status_of(answer) == 400
        for path in (b"/api/v1/state", b"*", b"http://evil.example/api/v1/state", b"//api/v1/state"):
            answer = await served.raw(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert status_of(answer) in (400, 401, 404)
        upgrade = head(served, "GET", "/api/v1/events", "Connection: upgrade, close", "Upgrade: websocket")
        assert status_of(await served.raw(head(served, "CONNECT", "/", "Connection: close"))) in (400, 405)
        assert b"101" not in (await served.raw(upgrade.replace(b"/events", b"/state")))[:20]
        assert (await client.get("/state")).status_code == 200


async def test_half_open_connections_end(serve: Serve) -> None:
    """Nothing sent, half a head, half a body, a second request that never ends: each is cut off by its deadline."""
    async with serve(connection=Impatient) as served:
        whole = head(served, "GET", "/api/v1/state")
        more = ("Content-Type: application/json", "Content-Length: 10")
        halves = [
            b"",
            b"GET /api/v1/st",
            whole[:-2],
            head(served, "POST", "/api/v1/scans", *more) + b"{",
            whole + b"GET /api",
            whole * 3 + whole[:-2],
        ]
        answers = await asyncio.gather(*(served.raw(half) for half in halves))
        assert answers[0] == answers[1] == answers[2] == b""
        assert answers[4].count(b"HTTP/1.1 200") == 1
        assert answers[5].count(b"HTTP/1.1 200") == 3
        assert served.daemon.store.scan_ids() == []


async def test_a_drip_does_not_renew_the_deadline(serve: Serve) -> None:
    async with serve(connection=Impatient) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        ended = asyncio.create_task(reader.read())
        async with asyncio.timeout(60):
            for letter in head(served, "GET", "/api/v1/state", "X-Drip: " + "x" * 5000):
                writer.write(bytes([letter]))
                await asyncio.wait({ended}, timeout=0.05)
                if ended.done():
                    break
        assert ended.done(), "it was cut off"
        assert (await asyncio.gather(ended, return_exceptions=True))[0] in (b"",) or ended.exception() is not None
        writer.close()


async def test_one_address_cannot_take_every_connection(serve: Serve) -> None:
    async with serve() as served, served.local() as local:
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(MOST_PER_ADDRESS)]
        assert status_of(await served.raw(b"")) == 503
        assert (await local.get("/state")).status_code == 200
        for _, writer in held:
            writer.close()
        async with served.client() as client:

            async def is_let_in() -> bool:
                return (await client.get("/state")).status_code == 200

            await eventually(is_let_in)


@pytest.mark.slow
async def test_ten_thousand_commands_in_a_burst(serve: Serve) -> None:
    """Over forty connections, each with its own id: one scan, a reason for every other, and no memory kept."""
    async with serve(views=24) as served:
        limits = httpx.Limits(max_connections=40)
        async with served.client(limits=limits) as client, served.listening() as listening:
            assert (await client.post("/scans", json={"scan_id": "mug"})).status_code == 202
            assert (await client.post("/scans/mug/pause", json={})).status_code == 202
            await listening.until("scan_paused")
            process = psutil.Process(os.getpid())
            await _burst(client, 500)
            before = process.memory_info().rss
            statuses = await _burst(client, 10_000)
            assert set(statuses) <= {409, 429}
            assert statuses.count(429) > 5000
            grown_mb = (process.memory_info().rss - before) / 1e6
            assert grown_mb < 30, "of the client in this process as well"
            assert served.daemon.store.scan_ids() == ["mug"]
            async with served.local() as local:
                assert (await local.post("/scans/mug/cancel", json={})).status_code == 202


async def _burst(client: httpx.AsyncClient, count: int) -> list[int]:
    statuses: list[int] = []
    numbers = iter(range(count))

    async def send() -> None:
        for number in numbers:
            answer = await client.post("/scans", json={"scan_id": f"s{number}"})
            assert answer.headers["content-type"] == "application/problem+json"
            statuses.append(answer.status_code)

    await asyncio.gather(*(send() for _ in range(40)))
    return statuses
