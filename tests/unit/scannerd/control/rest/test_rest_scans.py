"""Scans by REST, from start to photos.zip, together with the button, and over a restart."""

import asyncio
import hashlib
import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from rest_on_bench import PATIENCE_S, Serve, Served, eventually

from drivers.bench.install import Bench
from scannerd.store.layout import ScanFolder


async def done(served: Served, name: str) -> dict[str, Any]:
    """Wait until the scan is sealed and the table free."""
    async with served.client() as client:

        async def is_done() -> bool:
            state = (await client.get("/state")).json()
            return state["scan"] is None and (await client.get(f"/scans/{name}")).json()["state"] == "sealed"

        await eventually(is_done)
        detail: dict[str, Any] = (await client.get(f"/scans/{name}")).json()
        return detail


def folder_of(served: Served, name: str) -> ScanFolder:
    return served.daemon.store.layout.scan(name)


async def test_a_whole_scan(serve: Serve, bench: Bench) -> None:
    async with serve() as served, served.client() as client, served.listening() as listening:
        forecast = (await client.get("/forecast", params={"views": 6})).json()
        assert forecast["photos"] == 6
        assert forecast["fits"]
        answer = await client.post("/scans", json={"scan_id": "mug"})
        assert answer.status_code == 202
        assert answer.headers["location"] == "/api/v1/scans/mug"
        assert answer.json()["status"] == "accepted"
        while (await listening.next()).event != "scan_ended":
            pass
        stored = [json.loads(heard.data) for heard in listening.heard if heard.event == "frame_stored"]
        assert [event["data"]["index"] for event in stored] == [0, 1, 2, 3, 4, 5]
        assert bench.angle_deg == pytest.approx(300, abs=0.2)

        detail = await done(served, "mug")
        assert detail["frames_done"] == detail["frames_planned"] == 6
        assert {view["status"] for view in detail["viewpoints"]} == {"stored"}
        overview = (await client.get("/scans")).json()["scans"]
        assert [scan["scan_id"] for scan in overview] == ["mug"]
        log = (await client.get("/scans/mug/log")).json()["lines"]
        assert log[0]["text"].startswith("begun")
        assert log[-1]["text"] == "complete and sealed"
        await the_photos_are_those_on_the_disk(client, folder_of(served, "mug"))
        assert (await client.get("/scans/mug/results")).status_code == 404


async def the_photos_are_those_on_the_disk(client: httpx.AsyncClient, folder: ScanFolder) -> None:
    photo = folder.frame(3).read_bytes()
    got = await client.get("/scans/mug/frames/3.jpg")
    assert got.content == photo
    assert got.headers["etag"] == f'"{hashlib.sha256(photo).hexdigest()}"'
    assert got.headers["cache-control"] == "private, max-age=604800, immutable"
    again = await client.get("/scans/mug/frames/3.jpg", headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = await client.get("/scans/mug/frames/3.jpg", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, photo[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(photo)}"
    assert (await client.get("/scans/mug/frames/6.jpg")).status_code == 404
    assert (await client.get("/scans/mug/thumbnails/0.jpg")).content == folder.thumbnail(0).read_bytes()
    assert (await client.get("/scans/mug/contact_sheet.jpg")).headers["content-type"] == "image/jpeg"
    packed = await client.get("/scans/mug/photos.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.read("mug/0003.jpg") == photo
        assert {"mug/plan.json", "mug/manifest.json"} <= set(archive.namelist())


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=-5", -5, None), ("bytes=10-", 10, None), ("bytes=0-99999999", 0, None)],
)
async def test_parts_of_a_file(serve: Serve, wanted: str, start: int, end: int | None) -> None:
    async with serve() as served, served.client() as client:
        results = folder_of(served, "mug").results
        results.mkdir(parents=True)
        model = bytes(range(256)) * 4000
        (results / "model.glb").write_bytes(model)
        got = await client.get("/scans/mug/results/model.glb", headers={"Range": wanted})
        assert (got.status_code, got.content) == (206, model[start:end])
        assert got.headers["content-type"] == "model/gltf-binary"
        for odd in ("bytes=-", "items=0-1", "bytes=5-2,7-9"):
            whole = await client.get("/scans/mug/results/model.glb", headers={"Range": odd})
            assert (whole.status_code, len(whole.content)) == (200, len(model))
        beyond = await client.get("/scans/mug/results/model.glb", headers={"Range": "bytes=2000000-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(model)}")
        listed = (await client.get("/scans/mug/results")).json()
        assert listed["verified"] is False
        assert listed["files"][0]["sha256"] == hashlib.sha256(model).hexdigest()


async def test_two_starts_at_the_same_moment_give_one_scan(serve: Serve) -> None:
    async with serve() as served, served.client() as one, served.client() as other:
        answers = await asyncio.gather(*(client.post("/scans", json={}) for client in (one, other, one, other)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
        refusal = next(answer for answer in answers if answer.status_code == 409)
        assert refusal.headers["content-type"] == "application/problem+json"
        assert "busy" in refusal.json()["detail"]
        assert refusal.json()["command_id"]
        assert len(served.daemon.store.scan_ids()) == 1
        await done(served, served.daemon.store.scan_ids()[0])


async def test_one_key_is_one_command(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        key = {"Idempotency-Key": "start-1"}
        first = await client.post("/scans", json={"scan_id": "mug"}, headers=key)
        again = await client.post("/scans", json={"scan_id": "mug"}, headers=key)
        assert (first.status_code, again.status_code) == (202, 202)
        assert not first.json()["repeated"]
        assert again.json()["repeated"]
        other = await client.post("/scans", json={"scan_id": "cup"}, headers=key)
        assert other.status_code == 409
        assert "own id" in other.json()["detail"]
        torn = await client.post("/scans", json={"command_id": "start-2"}, headers=key)
        assert torn.status_code == 422
        await done(served, "mug")


async def test_started_here_paused_by_the_button_resumed_here(serve: Serve, bench: Bench) -> None:
    async with serve(views=24) as served, served.client() as client, served.listening() as listening:
        await client.post("/scans", json={"scan_id": "mug"})
        await listening.until("frame_stored")
        await asyncio.to_thread(bench.finger.press)
        await listening.until("scan_paused")
        state = (await client.get("/state")).json()
        assert state["mood"] == "paused"
        taken = state["scan"]["frames_done"]
        assert 1 <= taken < 24
        assert (await client.post("/scans/cup/resume", json={})).status_code == 404
        assert (await client.post("/scans/mug/resume", json={})).status_code == 202
        await listening.until("scan_ended")
        assert (await done(served, "mug"))["frames_done"] == 24


async def test_cancel_delete_restore(serve: Serve) -> None:
    async with serve(views=24) as served, served.client() as client, served.listening() as listening:
        await client.post("/scans", json={"scan_id": "mug"})
        await listening.until("frame_stored")
        assert (await client.request("DELETE", "/scans/mug", json={})).status_code == 409
        assert (await client.post("/scans/mug/retake", json={"index": 99})).status_code == 409
        assert (await client.post("/scans/mug/cancel", json={})).status_code == 202
        await listening.until("scan_ended")
        assert (await client.get("/scans/mug")).json()["state"] == "cancelled"
        assert (await client.request("DELETE", "/scans/mug", json={})).status_code == 202
        assert (await client.get("/scans/mug")).status_code == 404
        assert (await client.get("/scans")).json()["scans"] == []
        trash = (await client.get("/scans", params={"deleted": True})).json()["scans"]
        assert [(scan["scan_id"], scan["state"]) for scan in trash] == [("mug", "cancelled")]
        assert (await client.post("/scans", json={"scan_id": "mug"})).status_code == 409
        assert (await client.post("/scans/mug/restore", json={})).status_code == 202
        assert (await client.post("/scans/mug/restore", json={})).status_code == 404
        assert (await client.get("/scans/mug")).status_code == 200
        assert (await client.post("/scans/mug/send-first", json={})).status_code == 409, "there is no service"
        assert (await client.post("/scans", json={"scan_id": "mug"})).status_code == 409


async def test_a_restart_in_the_middle(serve: Serve) -> None:
    async with serve(views=24) as served, served.client() as client, served.listening() as listening:
        started = {"scan_id": "mug", "command_id": "start-1"}
        assert (await client.post("/scans", json=started)).status_code == 202
        await listening.until("frame_stored")
        last_id, token = listening.heard[-1].id, served.token
    async with serve(views=24, paired=False) as served, served.client(token) as client:
        state = (await client.get("/state")).json()
        assert state["unfinished"] == ["mug"]
        again = await client.post("/scans", json=started)
        assert (again.status_code, again.json()["repeated"]) == (202, True)
        assert served.daemon.store.scan_ids() == ["mug"]
        async with served.listening(last_id, token) as listening:
            reset = await listening.next()
            assert reset.event == "reset"
            assert json.loads(reset.data) == {"boot": state["boot"], "seq": served.daemon.events.seq}
            assert (await client.post("/scans/mug/resume", json={})).status_code == 202
            await listening.until("scan_ended")
        served.token = token
        assert (await done(served, "mug"))["frames_done"] == 24


async def test_pages_of_scans(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        for name in ("a", "b", "c"):
            assert (await client.post("/scans", json={"scan_id": name, "views": 3})).status_code == 202
            await done(served, name)

        async def names(**parameters: Any) -> list[str]:
            scans = (await client.get("/scans", params=parameters)).json()["scans"]
            return [scan["scan_id"] for scan in scans]

        assert await names() == ["c", "b", "a"]
        assert await names(limit=1) == ["c"]
        assert await names(limit=1, before="c") == ["b"]
        assert await names(before="a") == []
        assert await names(before="nobody") == []


async def test_a_full_disk_says_507(serve: Serve) -> None:
    async with serve(reserve_mb=999_999) as served, served.client() as client:
        answer = await client.post("/scans", json={"scan_id": "mug"})
        assert answer.status_code == 507
        assert "MB are free" in answer.json()["detail"]
        assert not (await client.get("/forecast")).json()["fits"]


async def test_commands_in_the_form_of_mqtt(serve: Serve, bench: Bench) -> None:
    async with serve() as served, served.client() as client:
        assert (await client.post("/commands", json={"command": "home"})).status_code == 202
        assert (await client.post("/commands", json={"command": "jog", "delta_deg": 90})).status_code == 202
        assert bench.angle_deg == pytest.approx(90, abs=0.2)
        late = {"command": "jog", "delta_deg": 90, "expires_at": "2020-01-01T00:00:00Z"}
        answer = await client.post("/commands", json=late)
        assert answer.status_code == 409
        assert "expired" in answer.json()["detail"]
        assert bench.angle_deg == pytest.approx(90, abs=0.2)
        for odd in ({"command": "fly"}, {}, {"command": "jog", "delta_deg": "far"}, {"command": "jog", "x": 1}, []):
            answer = await client.post("/commands", json=odd)
            assert answer.status_code == 422
            assert answer.json()["problems"]


async def test_the_daemon_never_waits_for_who_waits(serve: Serve) -> None:
    """While a long command is under way everything else is answered."""
    async with serve() as served, served.client() as client, served.client() as other:
        turning = asyncio.create_task(client.post("/commands", json={"command": "jog", "delta_deg": 360}))
        phases = set()
        async with asyncio.timeout(PATIENCE_S):
            while not turning.done():
                phases.add((await other.get("/state")).json()["phase"])
        assert (await turning).status_code == 202
        assert "jogging" in phases
