"""One scanner, several doors: what is begun at one is seen, paused and finished at any other."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import mosquitto_broker
import pytest

from drivers.bench.reach import reach
from scannerd.config import Config
from scannerd.settings.file import parse_config
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summary_of

DEADLINE_S = 90.0
SETTINGS = """
[device]
name = "bench"
[store]
folder = "{store}"
reserve_mb = 0
[camera]
metering = "configured"
width_px = 320
height_px = 240
[scan]
views = 8
[quality]
ask_a_person = false
[web]
address = "127.0.0.1"
port = 0
socket = "{store}/scannerd.sock"
[mqtt]
enabled = true
port = {port}
username = "scanner"
password_file = "{password_file}"
"""


class Shop:
    """A scanner on the bench, a broker, a tablet, and a program that speaks REST."""

    def __init__(self, folder: Path, broker: Any, tablet: Any) -> None:
        self.store = folder / "store"
        self.store.mkdir()
        self.tablet = tablet
        self.file = folder / "config.toml"
        password_file = broker.password_file(mosquitto_broker.SCANNER)
        text = SETTINGS.format(store=self.store, port=broker.port, password_file=password_file)
        self.file.write_text(text)
        self.config: Config = parse_config(text)
        self.process: asyncio.subprocess.Process | None = None
        self.rest = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.store / "scannerd.sock")),
            base_url="http://localhost/api/v1",
            timeout=60,
        )

    async def open(self) -> None:
        """Start the daemon and wait until its doors are open."""
        heard_before = len(self.tablet.heard)
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "scannerd", "bench", "--config", str(self.file), "--no-background"),
            *("--speed", "5"),
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self.process.stderr.readline():
                if line.startswith(b"bench: ready"):
                    break
        await self.until(lambda state: state["phase"] == "idle", "a daemon that answers")
        await self.tablet.until(lambda heard: heard.payload == b"online", "online", heard_before)

    def press(self, duration_s: float = 0.1) -> Awaitable[dict[str, object]]:
        return asyncio.to_thread(reach, self.store / "hand.sock", "press", duration_s=duration_s)

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()

    async def state(self) -> dict[str, Any]:
        answer = await self.rest.get("/state")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        state: dict[str, Any] = {}
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    state = await self.state()
                except httpx.TransportError:
                    state = {"phase": "not there"}
                if wanted(state):
                    return state
                await asyncio.sleep(0.05)
        raise AssertionError(f"{what}: {state}")

    def scans(self) -> dict[str, ScanState]:
        store = ScanStore(StoreLayout(self.store))
        return {name: summary_of(store, name).state for name in store.scan_ids()}


@asynccontextmanager
async def a_shop(folder: Path) -> AsyncIterator[Shop]:
    broker = mosquitto_broker.Broker(folder / "mosquitto")
    broker.start()
    try:
        async with mosquitto_broker.a_tablet(broker) as tablet:
            shop = Shop(folder, broker, tablet)
            try:
                await shop.open()
                yield shop
            finally:
                await shop.kill()
                await shop.rest.aclose()
    finally:
        broker.kill()


@pytest.mark.slow
async def test_a_scan_goes_through_every_door_and_a_power_cut(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        tablet = shop.tablet
        await shop.press()
        started = await tablet.event("scan_started")
        scan_id = started["data"]["scan_id"]
        state = await shop.until(lambda state: bool(state["scan"]), "REST sees the button's scan")
        assert state["scan"]["scan_id"] == scan_id

        paused = await tablet.ask({"command": "pause", "command_id": "tablet-pause"})
        assert (paused["status"], paused["scan_id"]) == ("accepted", scan_id)
        await shop.until(lambda state: state["mood"] == "paused", "REST sees the tablet's pause")
        refused = await shop.rest.post("/scans", json={"command_id": "rest-start"})
        assert refused.status_code == 409
        assert "busy" in refused.json()["detail"]

        resumed = await shop.rest.post(f"/scans/{scan_id}/resume", json={"command_id": "rest-resume"})
        assert resumed.status_code == 202, resumed.text
        after = len(tablet.heard)
        await tablet.state(lambda state: state["mood"] == "scanning", "the tablet sees REST's resume", after - 1)
        await shop.press()
        await shop.until(lambda state: state["mood"] == "paused", "the button pauses")

        after = len(tablet.heard)
        await shop.kill()
        await tablet.until(
            lambda heard: heard.topic.endswith("/availability") and heard.payload == b"offline", "last will", after
        )
        await shop.open()
        state = await shop.state()
        assert state["unfinished"] == [scan_id], "a power cut loses no scan"
        again = await shop.rest.post(f"/scans/{scan_id}/resume", json={"command_id": "rest-resume"})
        assert again.json()["repeated"], "an old command is not carried out again after a restart"
        command = {"command": "resume_scan", "scan_id": scan_id, "command_id": "tablet-goes-on"}
        # The connection is new: without its best-before the command might have waited in the broker.
        goes_on = await tablet.ask(command, expiry_s=30)
        assert goes_on["status"] == "accepted", goes_on
        after = len(tablet.heard)
        ended = await tablet.event("scan_ended", after - 1)
        assert (ended["data"]["outcome"], ended["data"]["frames_done"]) == ("completed", 8)
        assert shop.scans() == {scan_id: ScanState.SEALED}
        truth = await asyncio.to_thread(reach, shop.store / "hand.sock", "truth")
        assert truth["motor_enabled"] is False


@pytest.mark.slow
async def test_starts_at_every_door_at_the_same_moment_give_one_scan(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        answers = await asyncio.gather(
            shop.rest.post("/scans", json={"command_id": "rest-1"}),
            shop.rest.post("/scans", json={"command_id": "rest-2"}),
            shop.tablet.ask({"command": "start", "command_id": "tablet-1"}),
            shop.tablet.ask({"command": "start", "command_id": "tablet-2"}),
        )
        told = [answer.json() if isinstance(answer, httpx.Response) else answer for answer in answers]
        statuses = sorted(answer.get("status") if "detail" not in answer else "refused" for answer in told)
        assert statuses == ["accepted", "refused", "refused", "refused"], json.dumps(told)
        await shop.tablet.event("scan_ended")
        assert list(shop.scans().values()) == [ScanState.SEALED]
