"""Ten thousand commands at once, and a megabyte in one: refused or dropped, counted, and no memory lost to them."""

import asyncio
import itertools
import json
from pathlib import Path

import aiomqtt
import psutil
import pytest
from mosquitto_broker import TABLET, Broker, a_tablet
from mqtt_process import daemon, pulses_at_end
from mqtt_scanner import BASE, mqtt_config, on_mqtt

from drivers.bench.install import Bench

BURST = 10_000
MOST_MB = 20.0


async def burst(broker: Broker) -> None:
    """Send every kind of command, and what is none, as fast as the broker takes it."""
    options = {"username": TABLET, "password": broker.password(TABLET), "protocol": aiomqtt.ProtocolVersion.V5}
    async with aiomqtt.Client("127.0.0.1", broker.port, max_inflight_messages=200, **options) as client:
        client.pending_calls_threshold = BURST
        for first in range(0, BURST, 200):
            await asyncio.gather(
                *(client.publish(f"{BASE}/command", payload(n), 1) for n in range(first, first + 200))
            )


def payload(number: int) -> bytes:
    kinds = (
        {"command": "pause", "command_id": f"burst-{number}"},
        {"command": "jog", "delta_deg": 400, "command_id": f"burst-{number}"},
        {"command": "pause"},
    )
    return b"{" * 500 if number % 4 == 3 else json.dumps(kinds[number % 4]).encode()


@pytest.mark.slow
async def test_ten_thousand_commands_in_a_burst_cost_no_memory_and_start_nothing(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "mosquitto", more="max_queued_messages 0\nmax_queued_bytes 0")
    broker.start()
    try:
        with daemon(tmp_path / "store", broker.settings(home_assistant=False), speed=40) as child:
            process = psutil.Process(child.pid)
            async with a_tablet(broker) as tablet:
                await tablet.on("marker")
                await tablet.ask({"command": "pause", "command_id": "before"})
                before_mb = process.memory_info().rss / 1e6
                await burst(broker)
                dropped = 0
                after = 0
                while dropped < BURST * 0.95:
                    told = await tablet.until(
                        lambda heard: heard.topic == f"{BASE}/event" and b"were not answered" in heard.payload,
                        f"{dropped} told to be dropped",
                        after,
                    )
                    after = tablet.heard.index(told) + 1
                    dropped += told.json["data"]["dropped"]
                peak_mb = peak(process.pid)
                answers = [heard for heard in tablet.heard if heard.topic.startswith(f"{BASE}/reply/burst-")]
                assert 0 < len(answers) < 500
                assert {answer.json["status"] for answer in answers} == {"refused"}
                reason = "too many"
                for number in itertools.count():
                    if "too many" not in reason:
                        break
                    reason = (await tablet.ask({"command": "pause", "command_id": f"afterwards-{number}"}))["reason"]
                assert "no scan is running" in reason, "it listens as before"
            print(f"{BURST} commands: {before_mb:.0f} MB before, {peak_mb:.0f} MB at most; {dropped} dropped")
            assert peak_mb - before_mb < MOST_MB
            assert pulses_at_end(child) == 0
    finally:
        broker.kill()


def peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6


async def test_a_megabyte_is_never_sent_to_the_scanner_and_ten_kilobytes_are_refused(
    bench: Bench, broker: Broker, tmp_path: Path
) -> None:
    config = mqtt_config(tmp_path / "store", broker.settings(home_assistant=False))
    async with a_tablet(broker) as tablet:
        await tablet.send(b"x" * 1_000_000, retain=True)
        async with on_mqtt(config, bench) as daemon:
            await tablet.on("marker")
            await tablet.send(b"y" * 1_000_000)
            await tablet.send(b"z" * 1_000_000, "option/views")
            after = len(tablet.heard)
            await tablet.send(b'{"command": "home", "command_id": "' + b"i" * 10_000 + b'"}')
            told = await tablet.event("command_rejected", after)
            assert "bytes are too many; a command has at most 8192" in told["data"]["reason"]
            assert (await tablet.ask({"command": "pause", "command_id": "p"}))["status"] == "refused"
            assert not daemon.board.state().warnings
            assert bench.world.pulses == 0
