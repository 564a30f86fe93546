"""Brokers that are absent, die, hang, know another password or forbid: no scan notices, and no state is lost."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiomqtt
import psutil
import pytest
from mosquitto_broker import SCANNER, Broker, a_tablet
from mqtt_scanner import BASE, QUICK, mqtt_config, on_mqtt
from scan_on_bench import of, until

from drivers.bench.install import Bench
from scannerd.app import Daemon
from scannerd.commands import StartScan
from scannerd.events import FrameStored, Outcome, ScanEnded, Warned


async def warning(daemon: Daemon, words: str) -> str:
    """Return the warning with these words, as soon as it is there."""
    with daemon.events.subscribe(after=0) as events:
        async with asyncio.timeout(60):
            async for event in events:
                if isinstance(event, Warned) and words in event.message:
                    return event.message
    raise AssertionError


async def test_a_broker_that_dies_in_a_scan_is_told_everything_when_it_is_back(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(), views=12)
    async with on_mqtt(config, bench) as daemon:
        events = daemon.events.subscribe()
        async with a_tablet(broker) as tablet:
            await tablet.on("marker")
            await tablet.ask({"command": "start", "scan_id": "cup", "command_id": "s"})
            await until(events, FrameStored, 2)
            broker.kill()
        await until(events, FrameStored, 5)
        broker.start()
        async with a_tablet(broker) as tablet:
            await tablet.until(lambda heard: heard.payload == b"online", "online")
            await tablet.until(
                lambda heard: heard.topic.endswith("cup/progress") and heard.json["scan"]["frames_done"] >= 7,
                "progress",
            )
            assert (await tablet.state(lambda state: True, "any"))["scan"]["scan_id"] == "cup"
            config_topic = "homeassistant/device/scannerd_bench/config"
            await tablet.until(lambda heard: heard.topic == config_topic, "announcement")
            stored = [e["data"]["index"] for e in [await tablet.event("frame_stored")]]
            assert stored[0] <= 7, "what happened meanwhile was kept"
            ended = await tablet.event("scan_ended")
            assert ended["data"]["outcome"] == "completed"
            numbers = [heard.json["seq"] for heard in tablet.heard if heard.topic == f"{BASE}/event"]
            assert numbers == sorted(numbers)
        (end,) = of(ScanEnded, await until(events, ScanEnded))
        assert (end.outcome, end.frames_done, end.retakes) == (Outcome.COMPLETED, 12, 0)
        assert len([remark for remark in daemon.board.state().warnings if "MQTT" in remark.message]) == 1


async def test_without_a_broker_a_scan_is_taken_all_the_same(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    broker.kill()
    config = mqtt_config(tmp_path / "store", broker.settings(), views=3)
    async with on_mqtt(config, bench) as daemon:
        said = await warning(daemon, "MQTT broker")
        assert f"MQTT broker 127.0.0.1:{broker.port}: " in said
        assert "refused" in said
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
        assert ended.outcome is Outcome.COMPLETED
        await asyncio.sleep(1)  # several tries
        assert [remark.message for remark in daemon.board.state().warnings] == [said], "said once"
        assert daemon.board.state().fault is None
        broker.start()
        async with a_tablet(broker) as tablet:
            assert (await tablet.on("scan/cup/progress")).json["scan"]["state"] == "sealed"


@pytest.mark.parametrize("what", ["wrong", "readable", "missing"])
async def test_a_password_that_will_not_do_is_said_once_and_can_be_put_right(
    bench: Bench, broker: Broker, tmp_path: Path, what: str
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    file = broker.password_file(SCANNER)
    if what == "wrong":
        file.write_text("guess")
    elif what == "readable":
        file.chmod(0o640)
    else:
        file.unlink()
    words = {"wrong": "check [mqtt] username", "readable": f"chmod 600 {file}", "missing": "cannot be read: No such"}
    async with on_mqtt(config, bench) as daemon, a_tablet(broker) as tablet:
        await warning(daemon, words[what])
        await asyncio.sleep(0.5)
        assert len(daemon.board.state().warnings) == 1
        assert not any(heard.topic.endswith("availability") for heard in tablet.heard)
        broker.password_file(SCANNER)
        assert (await tablet.on("availability")).payload == b"online"


async def test_rights_that_lack_are_named_with_the_line_that_is_missing(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    broker.kill()
    broker.rights[SCANNER] = (f"write {BASE}/state",)
    broker.start()
    config = mqtt_config(tmp_path / "store", broker.settings(), views=3)
    async with on_mqtt(config, bench) as daemon:
        said = await warning(daemon, "its access list needs")
        assert f"topic readwrite {BASE}/#" in said
        assert "topic write homeassistant/device/scannerd_bench/config" in said
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup"))
        (ended,) = of(ScanEnded, await until(events, ScanEnded))
        assert ended.outcome is Outcome.COMPLETED


async def test_with_tls_the_broker_must_be_the_one_that_is_vouched_for(bench: Bench, tmp_path: Path) -> None:
    broker = Broker(tmp_path / "tls", tls=True)
    stranger = Broker(tmp_path / "stranger", tls=True)
    broker.start()
    try:
        config = mqtt_config(tmp_path / "store", broker.settings())
        async with a_tablet(broker) as tablet, on_mqtt(config, bench):
            await tablet.on("marker")
            assert (await tablet.ask({"command": "pause", "command_id": "p"}))["status"] == "refused"
        other = broker.settings(ca_file=str(stranger.folder / "ca.crt"))
        async with on_mqtt(mqtt_config(tmp_path / "store", other), bench) as daemon:
            assert "check [mqtt] tls, ca_file" in await warning(daemon, "certificate")
        nonsense = broker.settings(ca_file=str(broker.folder / "mosquitto.conf"))
        async with on_mqtt(mqtt_config(tmp_path / "store", nonsense), bench) as daemon:
            assert "is a PEM file" in await warning(daemon, "mosquitto.conf: cannot be used")
        plain = broker.settings(tls=False, ca_file=None)
        async with on_mqtt(mqtt_config(tmp_path / "store", plain), bench) as daemon:
            await warning(daemon, f"MQTT broker 127.0.0.1:{broker.port}")
    finally:
        broker.kill()


async def test_two_scanners_of_one_name_are_told_so(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings())
    rival = {
        "identifier": "scannerd-scannerd-bench",
        "username": SCANNER,
        "password": broker.password(SCANNER),
        "protocol": aiomqtt.ProtocolVersion.V5,
    }
    async with on_mqtt(config, bench, replace(QUICK, steady_s=30)) as daemon, a_tablet(broker) as tablet:
        after = 0
        for _ in range(3):
            online = await tablet.until(lambda heard: heard.payload == b"online", "online", after)
            after = tablet.heard.index(online, after) + 1
            async with aiomqtt.Client("127.0.0.1", broker.port, **rival):
                pass
        await warning(daemon, "if another scanner has the [device] name 'bench' too, give each its own")


async def test_what_is_too_large_for_the_broker_is_left_out_and_the_rest_goes_on(
    bench: Bench, tmp_path: Path
) -> None:
    broker = Broker(tmp_path / "mosquitto", more="max_packet_size 10000")
    broker.start()
    try:
        config = mqtt_config(tmp_path / "store", broker.settings(), views=3)
        async with a_tablet(broker) as tablet, on_mqtt(config, bench) as daemon:
            await tablet.on("marker")
            said = await warning(daemon, "max_packet_size")
            assert f"takes 10000 bytes at most, and {BASE}/preview needs" in said
            await tablet.ask({"command": "start", "scan_id": "cup", "command_id": "s"})
            await tablet.event("scan_ended")
            assert [heard.payload for heard in tablet.heard if heard.topic.endswith("availability")] == [b"online"]
            assert len([remark for remark in daemon.board.state().warnings if "max_packet" in remark.message]) == 1
    finally:
        broker.kill()


class Wire:
    """A wire between scanner and broker that can be held: nothing passes, and nobody is told."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._open = asyncio.Event()
        self._open.set()
        self._joined = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.port = 0

    async def until(self, connections: int) -> None:
        """Wait until somebody came so often."""
        while self.connections < connections:
            self._joined.clear()
            await self._joined.wait()

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._joined.set()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._pumps.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                while data := await source.read(65_536):
                    await self._open.wait()
                    sink.write(data)
                    await sink.drain()
            finally:
                sink.close()


@pytest.mark.slow
async def test_a_connection_that_is_dead_although_nobody_closed_it_is_noticed(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    async with Wire(broker.port) as wire, a_tablet(broker) as tablet:
        config = mqtt_config(tmp_path / "store", broker.settings(port=wire.port))
        async with on_mqtt(config, bench, replace(QUICK, keepalive_s=1)) as daemon:
            await tablet.on("marker")
            after = len(tablet.heard)
            wire.hold()
            await warning(daemon, "MQTT broker")
            gone = await tablet.on("availability", after)
            assert gone.payload == b"offline", "the broker spoke the last will"
            wire.let_go()
            back = await tablet.until(
                lambda heard: heard.topic.endswith("availability") and heard.payload == b"online", "back", after
            )
            assert back.payload == b"online"
            assert wire.connections >= 2
            assert (await tablet.ask({"command": "pause", "command_id": "p"}))["status"] == "refused"


async def test_a_broker_that_takes_nothing_keeps_nobody_waiting(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    async with asyncio.timeout(60), Wire(broker.port) as wire:
        config = mqtt_config(tmp_path / "store", broker.settings(port=wire.port, home_assistant=False), views=6)
        async with on_mqtt(config, bench) as daemon:
            async with a_tablet(broker) as tablet:
                await tablet.on("marker")
            wire.hold()
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            (ended,) = of(ScanEnded, await until(events, ScanEnded))
            assert ended.outcome is Outcome.COMPLETED
            going_down_s = asyncio.get_running_loop().time()
        print(f"goes down in {asyncio.get_running_loop().time() - going_down_s:.1f} s beside a broker that hangs")


async def test_a_broker_that_never_greets_costs_no_sockets(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    mine = psutil.Process()
    async with asyncio.timeout(60), Wire(broker.port) as wire:
        wire.hold()
        config = mqtt_config(tmp_path / "store", broker.settings(port=wire.port))
        async with on_mqtt(config, bench, replace(QUICK, answer_s=0.1, keepalive_s=60)):
            await wire.until(6)
            to_broker = [each for each in mine.net_connections("tcp") if each.raddr and each.raddr.port == wire.port]
            assert len([each for each in to_broker if each.status == "ESTABLISHED"]) <= 1


async def test_a_broker_that_never_greets_keeps_nobody_waiting(bench: Bench, broker: Broker, tmp_path: Path) -> None:
    async with asyncio.timeout(60), Wire(broker.port) as wire:
        wire.hold()
        config = mqtt_config(tmp_path / "store", broker.settings(port=wire.port), views=3)
        async with on_mqtt(config, bench, replace(QUICK, answer_s=600)) as daemon:
            events = daemon.events.subscribe()
            await daemon.submit(StartScan("cup"))
            (ended,) = of(ScanEnded, await until(events, ScanEnded))
            assert ended.outcome is Outcome.COMPLETED
            assert wire.connections == 1
            going_down_s = asyncio.get_running_loop().time()
        print(f"goes down in {asyncio.get_running_loop().time() - going_down_s:.1f} s before a broker's greeting")
