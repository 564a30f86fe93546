"""Server-sent events and previews: nothing lost, nothing grows, nobody waits for a slow reader."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rest_on_bench import Serve, Served, eventually, figures

from scannerd.control.rest.connection import GuardedConnection
from scannerd.control.rest.event_stream import MOST_LISTENERS, Listeners
from scannerd.control.rest.preview import MOST_VIEWERS
from scannerd.events import Warned


class Impatient(GuardedConnection):
    unread_s = 0.5


def warn(served: Served, count: int = 1, text: str = "look") -> None:
    for number in range(count):
        served.daemon.events.publish(Warned(f"{text} {number}"))


@contextmanager
def deaf_listener(served: Served) -> Iterator[socket.socket]:
    """A client that asks for events and never reads them."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n\r\n"
        deaf.sendall(head.encode())
        yield deaf


async def listeners(served: Served) -> float:
    async with served.local() as local:
        return figures((await local.get("http://localhost/metrics")).text)["scannerd_sse_clients"]


async def test_a_listener_that_comes_back_misses_nothing(serve: Serve) -> None:
    async with serve() as served:
        async with served.listening() as listening:
            warn(served, 3)
            for number in range(3):
                assert json.loads((await listening.next()).data)["data"]["message"] == f"look {number}"
            last_id = listening.heard[0].id
        warn(served, 2, "missed")
        async with served.listening(last_id) as listening:
            texts = [json.loads((await listening.next()).data)["data"]["message"] for _ in range(4)]
            assert texts == ["look 1", "look 2", "missed 0", "missed 1"]
            ids = [heard.id for heard in listening.heard]
            assert ids == sorted(ids, key=lambda text: int(text.rpartition("-")[2]))
            assert ids[0].startswith(served.daemon.board.boot)


@pytest.mark.parametrize("last_id", ["0badb007-3", "nonsense", "-", "1-1-1"])
async def test_a_gap_is_told(serve: Serve, last_id: str) -> None:
    async with serve() as served, served.listening(last_id) as listening:
        reset = await listening.next()
        assert reset.event == "reset"
        assert json.loads(reset.data)["boot"] == served.daemon.board.boot
        warn(served)
        assert (await listening.next()).event == "warned"


async def test_what_the_bus_forgot_is_a_gap(serve: Serve) -> None:
    async with serve() as served:
        boot, old = served.daemon.board.boot, served.daemon.events.seq
        warn(served, 1100)
        async with served.listening(f"{boot}-{old}") as listening:
            assert (await listening.next()).event == "reset"
        async with served.listening(f"{boot}-{old + 500}") as listening:
            assert (await listening.next()).id == f"{boot}-{old + 501}"
        async with served.listening(f"{boot}-{old + 99999}") as listening:
            assert (await listening.next()).event == "reset"


async def test_a_state_and_the_events_after_it(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        state = (await client.get("/state")).json()
        warn(served)
        after = f"{state['boot']}-{state['seq']}"
        async with client.stream("GET", "/events", params={"after": after}) as response:
            async for line in response.aiter_lines():
                if line.startswith("data"):
                    assert "look 0" in line
                    break


async def test_quiet_streams_have_a_heartbeat(serve: Serve) -> None:
    async with serve() as served:
        stream = Listeners(served.daemon, heartbeat_s=0.05).stream(None)
        pieces = stream.body_iterator  # type: ignore[attr-defined]
        first, second = await anext(pieces), await anext(pieces)
        assert first.startswith(b"retry:")
        assert second.startswith(b":")
        await pieces.aclose()


async def test_a_deaf_listener_is_cut_off_and_delays_nobody(serve: Serve) -> None:
    async with serve(connection=Impatient) as served, served.client() as client, served.listening() as listening:
        with deaf_listener(served):

            async def both() -> bool:
                return await listeners(served) == 2

            await eventually(both)
            for round_ in range(40):
                warn(served, 100, "x" * 300)
                for _ in range(100):
                    await listening.next()
                assert (await client.get("/state")).status_code == 200, round_

            async def only_one() -> bool:
                return await listeners(served) == 1

            await eventually(only_one)


async def test_many_listeners_are_bounded(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        streams = [served.listening() for _ in range(MOST_LISTENERS)]
        for stream in streams:
            await stream.__aenter__()
        answer = await client.get("/events")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        for stream in streams:
            await stream.__aexit__(None, None, None)
        await eventually(lambda: _none(served))
        async with served.listening():
            pass


async def _none(served: Served) -> bool:
    return await listeners(served) == 0


async def test_pictures(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        picture = await client.get("/preview.jpg")
        assert picture.content[:2] == b"\xff\xd8"
        edges = await client.get("/preview.jpg", params={"edges": True})
        assert edges.headers["etag"] != picture.headers["etag"]
        await client.post("/scans", json={"scan_id": "mug"})

        async def from_the_scan() -> bool:
            return "x-index" in (await client.get("/preview.jpg")).headers

        await eventually(from_the_scan)
        picture = await client.get("/preview.jpg")
        same = await client.get("/preview.jpg", headers={"If-None-Match": picture.headers["etag"]})
        assert same.status_code in (200, 304)
        assert (await client.get("/preview.jpg", params={"newer_than": -1})).status_code == 422


async def test_pictures_without_end(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        async with client.stream("GET", "/preview") as response:
            assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
            seen = b""
            async for piece in response.aiter_bytes():
                seen += piece
                if seen.count(b"--picture") >= 3:
                    break
        parts = [part for part in seen.split(b"--picture\r\n") if part]
        for part in parts[:2]:
            head, _, body = part.partition(b"\r\n\r\n")
            length = int(head.split(b"Content-Length: ")[1])
            assert body[:2] == b"\xff\xd8"
            assert body[length - 2 : length + 2] == b"\xff\xd9\r\n"


async def test_many_viewers_are_bounded(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        streams = [client.stream("GET", "/preview") for _ in range(MOST_VIEWERS)]
        for stream in streams:
            assert (await stream.__aenter__()).status_code == 200
        assert (await client.get("/preview")).status_code == 503
        assert (await client.get("/preview.jpg")).status_code == 200
        for stream in streams:
            await stream.__aexit__(None, None, None)


async def test_figures_for_prometheus(serve: Serve) -> None:
    async with serve() as served, served.client() as client, served.listening() as listening:
        await client.post("/scans", json={"scan_id": "mug"})
        await client.post("/scans", json={"scan_id": "cup"})
        await listening.until("scan_ended")
        for name in ("a", "b", "../../etc/passwd", "c" * 70):
            await client.get(f"/scans/{name}")
            await client.get(f"{served.url}/{name}")
        answer = await client.get(f"{served.url}/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        found = figures(answer.text)
        assert found['scannerd_scans_total{outcome="completed"}'] == 1
        assert found["scannerd_frames_total"] == 6
        assert found['scannerd_step_seconds_count{step="move"}'] == 6
        assert found['scannerd_commands_total{source="rest",status="accepted"}'] == 1
        assert found['scannerd_commands_total{source="rest",status="refused"}'] == 1
        assert found["scannerd_sse_clients"] == 1
        assert found['scannerd_phase{scannerd_phase="idle"}'] == 1
        assert found["scannerd_disk_free_bytes"] > 0
        assert found["process_resident_memory_bytes"] > 1e7
        routes = {name for name in found if name.startswith("scannerd_http_requests_total")}
        assert 'scannerd_http_requests_total{route="/scans/{scan_id}",status="404"}' in routes
        assert not any("passwd" in name or "ccc" in name for name in routes), "no label of a caller's making"
