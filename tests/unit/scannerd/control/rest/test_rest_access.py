"""Who may do what: pairing, tokens, names, pages of others, the socket of this device's own users."""

import asyncio
import json
import stat
import sys
from pathlib import Path

import httpx
import pytest
from rest_on_bench import Serve, Served, eventually

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.control.rest.gate import COOKIE
from scannerd.events import Warned
from scannerd.hardware import build_hardware
from scannerd.settings.file import read_config

JSON = {"Content-Type": "application/json"}


async def every_route(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Return method and path of every operation that is documented."""
    document = (await client.get("/openapi.json")).json()
    examples = {"{scan_id}": "mug", "{index}": "0", "{name}": "model.glb", "{token_id}": "0123abcd"}
    found = []
    for path, item in document["paths"].items():
        for placeholder, example in examples.items():
            path = path.replace(placeholder, example)
        found += [(method.upper(), path) for method in item]
    return found


async def test_nothing_without_a_token(serve: Serve) -> None:
    async with serve(paired=False) as served, served.local() as local:
        routes = await every_route(local)
        assert len(routes) > 25
        async with httpx.AsyncClient(base_url=served.url) as stranger:
            for method, path in routes:
                answer = await stranger.request(method, path, headers=JSON, content=b"{}")
                if (method, path) == ("GET", "/healthz"):
                    assert answer.status_code == 200
                elif (method, path) == ("POST", "/api/v1/pair"):
                    assert answer.status_code == 422
                else:
                    assert answer.status_code == 401, (method, path)
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert answer.headers["content-type"] == "application/problem+json"
        assert served.daemon.store.scan_ids() == []


async def test_looking_may_be_free(serve: Serve) -> None:
    async with serve(paired=False, more="read_without_token = true\n") as served, served.client("") as stranger:
        assert (await stranger.get("/state")).status_code == 200
        assert (await stranger.get(f"{served.url}/metrics")).status_code == 200
        assert (await stranger.get("/tokens")).status_code == 401
        assert (await stranger.post("/scans", json={})).status_code == 401
        assert (await stranger.put("/settings", json={"scan": {"views": 3}})).status_code == 401
        assert (await stranger.request("DELETE", "/tokens/0123abcd", json={})).status_code == 401


async def test_pairing_gives_a_cookie_that_no_script_reads(serve: Serve) -> None:
    async with serve(paired=False) as served, served.local() as local, served.client("") as tablet:
        assert (await tablet.post("/pair", json={"code": "111111", "name": "x"})).status_code == 409
        code = (await local.post("/pair/code", json={})).json()["code"]
        answer = await tablet.post("/pair", json={"code": f" {code} ", "name": "shop tablet"})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}={answer.json()['token']}")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert (await tablet.get("/state")).status_code == 200, "the cookie counts"
        tokens = (await tablet.get("/tokens")).json()["tokens"]
        assert [(token["name"], token["current"]) for token in tokens] == [("shop tablet", True)]
        assert (await tablet.post("/pair", json={"code": code, "name": "again"})).status_code == 409


async def test_a_revoked_token_counts_no_more_also_after_a_restart(serve: Serve, tmp_path: Path) -> None:
    async with serve() as served, served.client() as client:
        phone = await served.pair("phone")
        phone_id = (await client.get("/tokens")).json()["tokens"][1]["token_id"]
        tokens = served.daemon.store.layout.tokens
        assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
        assert phone not in tokens.read_text()
        assert (await client.request("DELETE", f"/tokens/{phone_id}", json={})).status_code == 204
        assert (await client.request("DELETE", f"/tokens/{phone_id}", json={})).status_code == 404
        async with served.client(phone) as lost:
            assert (await lost.get("/state")).status_code == 401
        kept = served.token
    async with serve(paired=False) as served, served.client(kept) as known, served.client(phone) as lost:
        assert (await known.get("/state")).status_code == 200
        assert (await lost.get("/state")).status_code == 401


async def test_a_revoked_token_hears_and_sees_nothing_more(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        phone = await served.pair("phone")
        phone_id = (await client.get("/tokens")).json()["tokens"][1]["token_id"]
        async with served.listening(token=phone) as listening, served.client(phone) as viewer:
            served.daemon.events.publish(Warned("before"))
            assert "before" in (await listening.next()).data
            async with viewer.stream("GET", "/preview") as pictures:
                assert (await client.request("DELETE", f"/tokens/{phone_id}", json={})).status_code == 204
                served.daemon.events.publish(Warned("after"))
                with pytest.raises(EOFError):
                    await listening.next()
                async for _ in pictures.aiter_bytes():
                    pass


async def test_a_code_is_shown_at_the_device_only(serve: Serve) -> None:
    async with serve() as served, served.client() as paired:
        answer = await paired.post("/pair/code", json={})
        assert answer.status_code == 403
        assert "at the device only" in answer.json()["detail"]


async def test_wrong_codes_are_slowed_down(serve: Serve) -> None:
    async with serve(paired=False) as served, served.local() as local, served.client("") as guesser:
        statuses = []
        for number in range(20):
            if number % 5 == 0:
                await local.post("/pair/code", json={})
            answer = await guesser.post("/pair", json={"code": "777777", "name": "guess"})
            statuses.append(answer.status_code)
        assert set(statuses[:10]) == {409}
        assert set(statuses[11:]) == {429}
        assert int(answer.headers["retry-after"]) > 0


async def test_a_hundred_wrong_tokens(serve: Serve) -> None:
    async with serve() as served, served.client("not-a-token") as guesser, served.client() as paired:
        answers = [await guesser.get("/state") for _ in range(100)]
        statuses = [answer.status_code for answer in answers]
        assert set(statuses[:20]) == {401}
        assert statuses[-1] == 429
        assert int(answers[-1].headers["retry-after"]) > 0
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert (await paired.get("/state")).status_code == 200, "who is paired is never locked out"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8740", "127.0.0.1.evil.example"])
async def test_a_foreign_name_is_refused(serve: Serve, host: str) -> None:
    async with serve() as served, served.client() as client:
        answer = await client.get("/state", headers={"Host": host})
        assert answer.status_code == 403
        assert (await client.get("/state", headers={"Host": "scanner.local"})).status_code == 200


async def test_a_foreign_page_is_refused(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        for origin in ("http://evil.example", "null", "http://[", "", f"http://127.0.0.1:{served.port + 1}"):
            answer = await client.post("/scans", json={}, headers={"Origin": origin})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for headers in (form, {"Content-Type": "text/plain"}, {}):
            assert (await client.post("/scans", content=b"{}", headers=headers)).status_code == 415
        assert (await client.options("/scans", headers={"Origin": served.url, **JSON})).status_code == 405
        assert (await client.get("/state", headers={"Origin": served.url})).status_code == 200
        assert served.daemon.store.scan_ids() == []


async def test_every_answer_is_guarded(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        for path in ("/state", "/nothing", f"{served.url}/", f"{served.url}/healthz"):
            answer = await client.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "server" not in answer.headers


async def test_the_socket_is_for_user_and_group(serve: Serve) -> None:
    async with serve(paired=False) as served, served.local() as local:
        assert stat.S_IMODE(served.socket.stat().st_mode) == 0o660
        assert (await local.post("/commands", json={"command": "home"})).status_code == 202
        assert (await local.get("/tokens")).json() == {"tokens": []}
        text = (await local.get("http://localhost/metrics")).text
        assert 'scannerd_commands_total{source="terminal",status="accepted"} 1.0' in text
    assert not served.socket.exists()


async def test_a_socket_file_that_was_left_behind_is_replaced(serve: Serve) -> None:
    async with serve(paired=False) as served:
        socket = served.socket
    server = await asyncio.start_unix_server(lambda reader, writer: None, socket)
    server.close()
    await server.wait_closed()
    assert socket.exists()
    async with serve(paired=False) as served, served.local() as local:
        assert (await local.get("/state")).status_code == 200


async def test_another_daemons_socket_is_left_alone(serve: Serve) -> None:
    async with serve() as first:
        second = first.door.__class__(first.daemon)
        second.close()
        async with first.local() as local:
            assert (await local.get("/state")).status_code == 200


async def test_a_taken_port_is_a_warning_and_is_tried_again(serve: Serve, bench: Bench) -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with serve(paired=False, port=port, try_again_s=0.05) as served:
        async with served.local() as local:
            warnings = (await local.get("/state")).json()["warnings"]
            assert f"port {port}" in warnings[0]["message"]
            assert (await local.get("/device")).json()["addresses"] == []
        taken.close()
        await taken.wait_closed()
        await eventually(lambda: served.door.app.port == port)
        async with served.client("") as client:
            await eventually(lambda: _answers(client))


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/state")).status_code == 401
    except httpx.ConnectError:
        return False


async def test_the_configuration_opens_the_door(bench: Bench, tmp_path: Path, serve: Serve) -> None:
    """As `scannerd run` does it: by the configuration, served from the first moment on, gone with the daemon."""
    async with serve() as served:
        config, token, socket = read_config(served.config_file), served.token, served.socket
    async with Daemon(config, build_hardware(config, bench.clock), network=True):
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as local:
            address = (await local.get("/api/v1/device")).json()["addresses"][0]
            listener = asyncio.create_task(_listen(address, token))
            await eventually(lambda: _has(local, "scannerd_sse_clients 1.0"))
    assert await listener, "the stream ended with the daemon"
    assert not socket.exists()


async def _has(local: httpx.AsyncClient, figure: str) -> bool:
    return figure in (await local.get("/metrics")).text


async def _listen(address: str, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(headers=headers) as client,
        client.stream("GET", f"{address}/api/v1/events") as stream,
    ):
        async for _ in stream.aiter_bytes():
            pass
    return True


async def test_settings_by_rest(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        sections = (await client.get("/settings")).json()["sections"]
        scan = next(section for section in sections if section["name"] == "scan")
        views = next(key for key in scan["keys"] if key["name"] == "views")
        assert (views["value"], views["minimum"], views["maximum"], views["applies"]) == (6, 3, 720, "now")
        taken = await client.put("/settings", json={"scan": {"views": 5}, "web": {"port": 8741}})
        assert taken.status_code == 200
        assert set(taken.json()["changed"]) == {"[scan] views", "[web] port"}
        assert (taken.json()["applies"], taken.json()["restart"]) == ("restart", ["[web] port"])
        assert "views = 5" in served.config_file.read_text()
        assert (await client.get("/forecast")).json()["photos"] == 5
        before = served.config_file.read_text()
        faulty = await client.put("/settings", json={"scan": {"views": 1, "vews": 2}})
        assert faulty.status_code == 422
        assert len(faulty.json()["problems"]) == 2
        assert served.config_file.read_text() == before
        served.config_file.write_text(before.replace("views = 5", "views = 7"))
        assert (await client.post("/reload", json={})).json()["changed"] == ["[web] port", "[scan] views"]
        served.config_file.write_text("views")
        assert (await client.post("/reload", json={})).status_code == 422
        assert (await client.get("/forecast")).json()["photos"] == 7


async def test_the_device_says_what_it_is(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        device = (await client.get("/device")).json()
        assert device["addresses"] == [served.url]
        assert "640×480" in device["camera"]
        assert device["mqtt"] is None
        assert device["uptime_s"] >= 0


async def test_health_names_what_is_wrong(serve: Serve) -> None:
    async with serve(paired=False) as served, httpx.AsyncClient(base_url=served.url) as watcher:
        assert (await watcher.get("/healthz")).json() == {"status": "ok"}
        scans = served.daemon.store.layout.scans
        scans.rename(scans.with_name("away"))
        answer = await watcher.get("/healthz")
        assert answer.status_code == 503
        assert "the store cannot be read: No such file" in answer.json()["detail"]
        scans.with_name("away").rename(scans)
        assert (await watcher.get("/healthz")).status_code == 200


async def test_the_terminal_pairs_a_tablet(serve: Serve) -> None:
    async with serve(paired=False) as served, served.client("") as tablet:
        process = await _terminal(served, "pair")
        assert process.stdout is not None
        code = ""
        async for line in process.stdout:
            if line.startswith(b"Type "):
                code = line.split()[1].decode()
                break
        answer = await tablet.post("/pair", json={"code": code, "name": "shop tablet"})
        assert answer.status_code == 200
        rest = (await process.stdout.read()).decode()
        assert rest.endswith("paired: shop tablet\n")
        assert f"{served.url}" in rest
        assert await process.wait() == 0


async def test_the_terminal_tells_and_asks(serve: Serve, bench: Bench) -> None:
    async with serve(paired=False) as served:
        assert await _said(served, "tell", "home") == (0, "home: accepted\n")
        assert await _said(served, "tell", "jog", "--deg", "45") == (0, "jog: accepted\n")
        assert bench.angle_deg == pytest.approx(45, abs=0.2)
        code, refusal = await _said(served, "tell", "pause")
        assert code == 1
        assert "no scan is running" in refusal
        code, text = await _said(served, "state", "--json")
        assert (code, json.loads(text)["mood"]) == (0, "idle")
        code, text = await _said(served, "state")
        assert (code, text.strip().endswith("idle (idle)")) == (0, True)
        assert await _said(served, "reload") == (0, "changed: nothing\n")
    code, reason = await _said(served, "state")
    assert code == 1
    assert "no daemon runs here" in reason


async def _terminal(served: Served, *words: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "scannerd", *words, "--config", str(served.config_file))
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)


async def _said(served: Served, *words: str) -> tuple[int | None, str]:
    process = await _terminal(served, *words)
    text, _ = await process.communicate()
    return process.returncode, text.decode()
